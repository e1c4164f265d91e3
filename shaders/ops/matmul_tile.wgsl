// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for many rows.
//
// One group of 64 x 4 invocations makes 64 outputs of 16 rows: a lane is a weight row, each of the four takes four rows
// of activations, which are staged in workgroup memory segment by segment. Grid: tiles x rows / 16.
// Workgroup memory: 16 rows x 8 blocks x X_WORDS words (int16: 10 KiB, int8: 6 KiB, f32: 16 KiB).

var<workgroup> staged: array<u32, 128u * X_WORDS>;

fn x_word(at: u32) -> u32 {
    return staged[at];
}

@compute @workgroup_size(64, 4)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = group.x;
    let first_row = group.y * 16u;
    let lane = local.x;
    let rows = row_count();
    let row_words = SEGMENT * X_WORDS;
    var sums = vec4(0.0);
    for (var first = 0u; first < matrix.blocks; first += SEGMENT) {
        let blocks = min(SEGMENT, matrix.blocks - first);
        for (var i = invocation; i < 16u * row_words; i += 256u) {
            // Rows that there are not, and blocks beyond the last, read what is there and count for nothing.
            let row = min(first_row + i / row_words, rows - 1u);
            let word = min(i % row_words, blocks * X_WORDS - 1u);
            staged[i] = x[(row * matrix.blocks + first) * X_WORDS + word];
        }
        workgroupBarrier();
        var parts = vec4(0.0);
        for (var b = 0u; b < blocks; b++) {
            let codes = unpack(tile * matrix.blocks + first + b, lane);
            let scales = block_scales(tile, first + b, lane);
            let at = local.y * 4u * row_words + b * X_WORDS;
            parts.x = add_block(codes, scales, at, parts.x);
            parts.y = add_block(codes, scales, at + row_words, parts.y);
            parts.z = add_block(codes, scales, at + 2u * row_words, parts.z);
            parts.w = add_block(codes, scales, at + 3u * row_words, parts.w);
        }
        sums += parts;
        workgroupBarrier();
    }
    let row = first_row + local.y * 4u;
    store(row, rows, tile * 64u + lane, sums.x);
    store(row + 1u, rows, tile * 64u + lane, sums.y);
    store(row + 2u, rows, tile * 64u + lane, sums.z);
    store(row + 3u, rows, tile * 64u + lane, sums.w);
}

fn store(row: u32, rows: u32, lane_row: u32, sum: f32) {
    if row < rows && lane_row < matrix.rows {
        out[row * matrix.width + matrix.first + lane_row] = finish(sum, lane_row);
    }
}
