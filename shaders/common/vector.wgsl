// Products of one row with a tile of 64 weight rows, by a group of 64 invocations: 16 lanes take four weight rows each, four
// such slices share the columns by segments. The kernel says where outputs go: `store(row, lane_row, sums)`.
// Workgroup memory: 4 KiB.

// Segments between two meetings of the group.
const ROUND: u32 = 16u;

var<workgroup> parts: array<vec4<f32>, 256>; // [ROUND][16]

fn x_vector(at: u32) -> vec4<u32> {
    return x[at];
}

fn x_word(at: u32) -> u32 {
    return x[at / 4u][at % 4u];
}

fn make_tile(tile: u32, row: u32, invocation: u32) {
    let lane = invocation % 16u;
    let slice = invocation / 16u;
    let x_row = row * matrix.blocks * X_VECTORS;
    let segments = (matrix.blocks + SEGMENT - 1u) / SEGMENT;
    var sums = vec4(0.0);
    for (var round = 0u; round < segments; round += ROUND) {
        let end = min(round + ROUND, segments);
        for (var segment = round + slice; segment < end; segment += 4u) {
            let shared_scales = segment_scales(tile, segment, lane);
            let last = min((segment + 1u) * SEGMENT, matrix.blocks);
            var part = vec4(0.0);
            for (var kb = segment * SEGMENT; kb < last; kb++) {
                let codes = unpack(tile * matrix.blocks + kb, lane);
                let scales = block_scales(shared_scales, tile, kb, lane);
                part = add_block(codes, scales, hold(x_row + kb * X_VECTORS), part);
            }
            parts[(segment - round) * 16u + lane] = part;
        }
        workgroupBarrier();
        if slice == 0u {
            for (var segment = round; segment < end; segment++) {
                sums += parts[(segment - round) * 16u + lane];
            }
        }
        workgroupBarrier();
    }
    if slice == 0u {
        store(row, tile * 64u + 4u * lane, sums);
    }
}
