// Between which values the greatest logit of each tile of 64 lies, from the upper 4 bits of 8-bit codes alone. Seen from
// them, a logit is a mean and a variance: the lower halves are 16 values of equal probability.
//
// low     [tiles][blocks][4][16] vectors of four rows: the upper halves
// x       [blocks][X_VECTORS] vectors of four words: quantised activations of one row
// bounds  [tiles of the whole head], as keys: lower, upper
//
// One group of 64 invocations makes one tile: 16 lanes take four weight rows each, four slices share the blocks.
// Grid: tiles. Workgroup memory: 4 KiB.

@group(0) @binding(1) var<uniform> matrix: Matrix;
@group(0) @binding(5) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> bounds: array<vec2<u32>>;

// Standard deviations within which a logit is taken to lie; as on the CPU.
const DEVIATIONS: f32 = 6.0;
// Mean of a lower half, and its variance: (16 * 16 - 1) / 12.
const MEAN: f32 = 7.5;
const VARIANCE: f32 = 21.25;

var<workgroup> means: array<vec4<f32>, 64>;
var<workgroup> variances: array<vec4<f32>, 64>;
var<workgroup> keys: array<vec2<u32>, 16>;

fn x_vector(at: u32) -> vec4<u32> {
    return x[at];
}

fn x_word(at: u32) -> u32 {
    return x[at / 4u][at % 4u];
}

fn join(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return max(a, b);
}

fn row_keys(row: u32, mean: f32, variance: f32) -> vec2<u32> {
    if row >= matrix.rows {
        return vec2(0u);
    }
    let slack = DEVIATIONS * sqrt(variance);
    return vec2(least_key(key_of(mean - slack)), key_of(mean + slack));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    find_lane();
    let tile = group.x;
    let lane = invocation % 16u;
    let slice = invocation / 16u;
    var mean = vec4(0.0);
    var variance = vec4(0.0);
    for (var kb = slice; kb < matrix.blocks; kb += 4u) {
        let codes = unpack(tile * matrix.blocks + kb, lane);
        let x_block = hold(kb * X_VECTORS);
        let facts = held(x_block, X_FACTS); // scale, sum of all integers, sum of the first 16, energy
        let d = block_scales(segment_scales(tile, kb / SEGMENT, lane), tile, kb, lane).d_first;
        let sums = bitcast<vec4<i32>>(products(codes.first, x_block, 0u) + products(codes.last, x_block, 1u));
        let scaled = d * bitcast<f32>(facts.x);
        mean = fma(vec4<f32>(sums), 16.0 * scaled, mean);
        mean = fma(scaled, vec4((MEAN - f32(CODE_BIAS)) * f32(bitcast<i32>(facts.y))), mean);
        variance = fma(d * d, vec4(VARIANCE * bitcast<f32>(facts.w)), variance);
    }
    means[invocation] = mean;
    variances[invocation] = variance;
    workgroupBarrier();
    if slice == 0u {
        let m = (means[lane] + means[lane + 16u]) + (means[lane + 32u] + means[lane + 48u]);
        let v = (variances[lane] + variances[lane + 16u]) + (variances[lane + 32u] + variances[lane + 48u]);
        let row = tile * 64u + 4u * lane;
        keys[lane] = join(
            join(row_keys(row, m.x, v.x), row_keys(row + 1u, m.y, v.y)),
            join(row_keys(row + 2u, m.z, v.z), row_keys(row + 3u, m.w, v.w)),
        );
    }
    workgroupBarrier();
    if invocation == 0u {
        var all = keys[0];
        for (var i = 1u; i < 16u; i++) {
            all = join(all, keys[i]);
        }
        bounds[matrix.first / 64u + tile] = all;
    }
}
