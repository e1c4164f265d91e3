// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for a few rows: weights are read once for each.
//
// One group of 16 x 4 invocations makes 64 outputs of one row: a lane is four weight rows, the four share the columns by
// segments. Grid: tiles x rows. Workgroup memory: 4 KiB.

// Segments between two meetings of the group.
const ROUND: u32 = 16u;

var<workgroup> parts: array<vec4<f32>, 256>; // [ROUND][16]

fn x_vector(at: u32) -> vec4<u32> {
    return x[at];
}

@compute @workgroup_size(16, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let tile = group.x;
    let row = group.y;
    let lane = local.x;
    let x_row = row * matrix.blocks * X_VECTORS;
    let segments = (matrix.blocks + SEGMENT - 1u) / SEGMENT;
    var sums = vec4(0.0);
    for (var round = 0u; round < segments; round += ROUND) {
        let end = min(round + ROUND, segments);
        for (var segment = round + local.y; segment < end; segment += 4u) {
            let shared_scales = segment_scales(tile, segment, lane);
            let last = min((segment + 1u) * SEGMENT, matrix.blocks);
            var part = vec4(0.0);
            for (var kb = segment * SEGMENT; kb < last; kb++) {
                let codes = unpack(tile * matrix.blocks + kb, lane);
                part = add_block(codes, block_scales(shared_scales, tile, kb, lane), x_row + kb * X_VECTORS, part);
            }
            parts[(segment - round) * 16u + lane] = part;
        }
        workgroupBarrier();
        if local.y == 0u {
            for (var segment = round; segment < end; segment++) {
                sums += parts[(segment - round) * 16u + lane];
            }
        }
        workgroupBarrier();
    }
    if local.y == 0u {
        store(row, tile * 64u + 4u * lane, sums);
    }
}
