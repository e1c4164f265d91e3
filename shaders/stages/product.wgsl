// Products of one row with up to three matrices that lie in one stack, and what comes before and after them:
//
//   x = norm(residual + post_norm(source))       each part where there is one; or made before
//   out = x * weight + bias                      of each matrix
//   out = activation(x * gate) * (x * up)        instead, if GATED: of the first two
//
// low, high, scales  planes of the stack, see `common/matrix.wgsl`; tiles are counted through all its matrices
// vectors            all vectors of the model
// row                values of the token, each from a place that is a multiple of 64
//
// One group of 256 invocations makes 16 / SPLIT tiles of 64 outputs, whose columns SPLIT lanes share by segments.
// Grid: tiles / (16 / SPLIT). Workgroup memory: 14 KiB (int16).

struct Part {
    first: u32, // its first tile; NONE: there is no such matrix
    out: u32,   // place in `row`
    bias: u32,  // place in `vectors`; NONE: no bias
    d: u32,     // where planes would begin in `scales` if its tiles were counted from 0, in words
    m: u32,
    sub: u32,
    submin: u32,
    high: u32,  // the same in `high`, in vectors
    high_bits: u32,
    code_bias: u32,
    has_min: u32,
    groups: u32,
    padding: vec4<u32>,
}

struct Stage {
    before: Before,
    blocks: u32,
    tiles: u32, // of all matrices
    part_0: Part,
    part_1: Part,
    part_2: Part,
}

@group(0) @binding(1) var<uniform> stage: Stage;
@group(0) @binding(5) var<storage, read> vectors: array<f32>;
@group(0) @binding(6) var<storage, read_write> row: array<f32>;

// Lanes that share columns: 4 or 8.
override SPLIT: u32 = 4u;
override GATED: bool = false;

const LANES: u32 = 256u;

// The matrix of this lane's tile.
var<private> matrix: Matrix;

fn set_part(part: Part) {
    matrix = Matrix(stage.blocks, 0u, 0u, 0u, part.d, part.m, part.sub, part.submin);
    set_format(part);
}

fn put_part(at: u32, value: vec4<f32>) {
    shared_floats[4u * at] = value.x;
    shared_floats[4u * at + 1u] = value.y;
    shared_floats[4u * at + 2u] = value.z;
    shared_floats[4u * at + 3u] = value.w;
}

fn part_at(at: u32) -> vec4<f32> {
    let i = 4u * at;
    return vec4(shared_floats[i], shared_floats[i + 1u], shared_floats[i + 2u], shared_floats[i + 3u]);
}

fn store(place: u32, values: vec4<f32>) {
    row[place] = values.x;
    row[place + 1u] = values.y;
    row[place + 2u] = values.z;
    row[place + 3u] = values.w;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    find_lane();
    prepare_x(stage.before, group.x == 0u, invocation);

    let lane = invocation % 16u;
    let split = (invocation / 16u) % SPLIT;
    let own_tile = invocation / 16u / SPLIT;
    let tiles = 16u / SPLIT;
    var tile = group.x * tiles + own_tile;
    if GATED {
        // Tiles of gate and up take turns.
        tile = (group.x * tiles + own_tile) / 2u + (own_tile % 2u) * stage.part_1.first;
    }
    let exists = select(tile < stage.tiles, (group.x * tiles + own_tile) / 2u < stage.part_1.first, GATED);
    tile = min(tile, stage.tiles - 1u);
    var part = stage.part_0;
    if tile >= stage.part_2.first {
        part = stage.part_2;
    } else if tile >= stage.part_1.first {
        part = stage.part_1;
    }
    set_part(part);

    let segments = (stage.blocks + SEGMENT - 1u) / SEGMENT;
    var sums = vec4(0.0);
    for (var round = 0u; round < segments; round += SPLIT) {
        let segment = round + split;
        if segment < segments {
            let shared_scales = segment_scales(tile, segment, lane);
            let last = min((segment + 1u) * SEGMENT, stage.blocks);
            var sum = vec4(0.0);
            for (var kb = segment * SEGMENT; kb < last; kb++) {
                let codes = unpack(tile * stage.blocks + kb, lane);
                sum = add_block(codes, block_scales(shared_scales, tile, kb, lane), hold(kb * X_VECTORS), sum);
            }
            put_part(invocation, sum);
        }
        workgroupBarrier();
        if split == 0u {
            for (var i = 0u; i < min(SPLIT, segments - round); i++) {
                sums += part_at(invocation + 16u * i);
            }
        }
        workgroupBarrier();
    }
    let column = (tile - part.first) * 64u + 4u * lane;
    if GATED {
        if split == 0u && own_tile % 2u == 0u {
            put_part(invocation, sums);
        }
        workgroupBarrier();
        if split == 0u && own_tile % 2u == 1u && exists {
            let gate = part_at(invocation - 16u * SPLIT);
            let gated = vec4(activate(gate.x), activate(gate.y), activate(gate.z), activate(gate.w)) * sums;
            store(part.out + column, gated);
        }
    } else if split == 0u && exists {
        if part.bias != NONE {
            let at = part.bias + column;
            sums += vec4(vectors[at], vectors[at + 1u], vectors[at + 2u], vectors[at + 3u]);
        }
        store(part.out + column, sums);
    }
}
