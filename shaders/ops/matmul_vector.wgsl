// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for a few rows: weights are read once for each.
//
// One group of 64 x 4 invocations makes 64 outputs of one row: a lane is a weight row, the four share its columns by
// segments. Grid: tiles x rows. Workgroup memory: 1 KiB.

var<workgroup> parts: array<f32, 256>; // [4][64]

fn x_word(at: u32) -> u32 {
    return x[at];
}

@compute @workgroup_size(64, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let tile = group.x;
    let row = group.y;
    let lane = local.x;
    let x_row = row * matrix.blocks * X_WORDS;
    var sum = 0.0;
    for (var round = 0u; round < matrix.blocks; round += 4u * SEGMENT) {
        var part = 0.0;
        let first = round + local.y * SEGMENT;
        let end = min(first + SEGMENT, matrix.blocks);
        for (var kb = first; kb < end; kb++) {
            let codes = unpack(tile * matrix.blocks + kb, lane);
            part = add_block(codes, block_scales(tile, kb, lane), x_row + kb * X_WORDS, part);
        }
        parts[local.y * 64u + lane] = part;
        workgroupBarrier();
        if local.y == 0u {
            sum += parts[lane];
            sum += parts[64u + lane];
            sum += parts[128u + lane];
            sum += parts[192u + lane];
        }
        workgroupBarrier();
    }
    let lane_row = tile * 64u + lane;
    if local.y == 0u && lane_row < matrix.rows {
        out[row * matrix.width + matrix.first + lane_row] = finish(sum, lane_row);
    }
}
