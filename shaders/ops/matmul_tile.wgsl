// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for many rows.
//
// One group of 16 x 4 invocations makes 64 outputs of 16 rows: a lane is four weight rows, each of the four takes four
// rows of activations, which are staged in workgroup memory segment by segment. Grid: tiles x rows / 16.
// Workgroup memory: 16 rows x 8 blocks x X_VECTORS vectors (int16: 10 KiB, int8: 6 KiB, f32: 16 KiB).

var<workgroup> staged: array<vec4<u32>, 128u * X_VECTORS>;

fn x_vector(at: u32) -> vec4<u32> {
    return staged[at];
}

@compute @workgroup_size(16, 4)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let tile = group.x;
    let first_row = group.y * 16u;
    let lane = local.x;
    let rows = row_count();
    let row_vectors = SEGMENT * X_VECTORS;
    var sums_a = vec4(0.0);
    var sums_b = vec4(0.0);
    var sums_c = vec4(0.0);
    var sums_d = vec4(0.0);
    for (var first = 0u; first < matrix.blocks; first += SEGMENT) {
        let blocks = min(SEGMENT, matrix.blocks - first);
        for (var i = invocation; i < 16u * row_vectors; i += 64u) {
            // Rows that there are not, and blocks beyond the last, read what is there and count for nothing.
            let row = min(first_row + i / row_vectors, rows - 1u);
            let vector = min(i % row_vectors, blocks * X_VECTORS - 1u);
            staged[i] = x[(row * matrix.blocks + first) * X_VECTORS + vector];
        }
        workgroupBarrier();
        let shared_scales = segment_scales(tile, first / SEGMENT, lane);
        var a = vec4(0.0);
        var b = vec4(0.0);
        var c = vec4(0.0);
        var d = vec4(0.0);
        for (var kb = 0u; kb < blocks; kb++) {
            let codes = unpack(tile * matrix.blocks + first + kb, lane);
            let scales = block_scales(shared_scales, tile, first + kb, lane);
            let at = local.y * 4u * row_vectors + kb * X_VECTORS;
            a = add_block(codes, scales, at, a);
            b = add_block(codes, scales, at + row_vectors, b);
            c = add_block(codes, scales, at + 2u * row_vectors, c);
            d = add_block(codes, scales, at + 3u * row_vectors, d);
        }
        sums_a += a;
        sums_b += b;
        sums_c += c;
        sums_d += d;
        workgroupBarrier();
    }
    let row = first_row + local.y * 4u;
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
