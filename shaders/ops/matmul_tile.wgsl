// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for many rows.
//
// One group of 64 invocations makes 64 outputs of 16 rows: 16 lanes take four weight rows each, each of four such slices
// takes four rows of activations. Grid: tiles x rows / 16.
// Workgroup memory, where activations are staged: 16 rows x 8 blocks x X_VECTORS vectors (int16: 10 KiB, int8: 6 KiB,
// f32: 16 KiB).

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    find_lane();
    let tile = group.x;
    let first_row = group.y * 16u;
    let lane = invocation % 16u;
    let slice = invocation / 16u;
    let rows = row_count();
    var sums_a = vec4(0.0);
    var sums_b = vec4(0.0);
    var sums_c = vec4(0.0);
    var sums_d = vec4(0.0);
    for (var first = 0u; first < matrix.blocks; first += SEGMENT) {
        let blocks = min(SEGMENT, matrix.blocks - first);
        stage(first_row, first, blocks, invocation);
        let shared_scales = segment_scales(tile, first / SEGMENT, lane);
        let x_a = x_place(first_row, slice * 4u, first);
        let x_b = x_place(first_row, slice * 4u + 1u, first);
        let x_c = x_place(first_row, slice * 4u + 2u, first);
        let x_d = x_place(first_row, slice * 4u + 3u, first);
        var a = vec4(0.0);
        var b = vec4(0.0);
        var c = vec4(0.0);
        var d = vec4(0.0);
        for (var kb = 0u; kb < blocks; kb++) {
            let codes = unpack(tile * matrix.blocks + first + kb, lane);
            let scales = block_scales(shared_scales, tile, first + kb, lane);
            a = add_block(codes, scales, hold(x_a + kb * X_VECTORS), a);
            b = add_block(codes, scales, hold(x_b + kb * X_VECTORS), b);
            c = add_block(codes, scales, hold(x_c + kb * X_VECTORS), c);
            d = add_block(codes, scales, hold(x_d + kb * X_VECTORS), d);
        }
        sums_a += a;
        sums_b += b;
        sums_c += c;
        sums_d += d;
    }
    let row = first_row + slice * 4u;
    let lane_row = tile * 64u + 4u * lane;
    if row < rows {
        store(row, lane_row, sums_a);
    }
    if row + 1u < rows {
        store(row + 1u, lane_row, sums_b);
    }
    if row + 2u < rows {
        store(row + 2u, lane_row, sums_c);
    }
    if row + 3u < rows {
        store(row + 3u, lane_row, sums_d);
    }
}
