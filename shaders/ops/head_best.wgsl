// The logits of tiles that were chosen, of which those that reach the threshold are taken.
//
// x       [blocks][X_VECTORS] vectors of four words: quantised activations of one row
// chosen  threshold, count, then as many tiles of the whole head
// found   see `common/found.wgsl`
//
// Groups of 64 invocations take turns. Grid: GROUPS.

@group(0) @binding(1) var<uniform> matrix: Matrix;
@group(0) @binding(5) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> chosen: array<u32>;
@group(0) @binding(7) var<storage, read_write> found: Found;

override GROUPS_IN_ALL: u32 = 1u;

fn store_one(lane_row: u32, sum: f32) {
    if lane_row < matrix.rows {
        take(matrix.first + lane_row, sum, chosen[0]);
    }
}

fn store(row: u32, lane_row: u32, sums: vec4<f32>) {
    store_one(lane_row, sums.x);
    store_one(lane_row + 1u, sums.y);
    store_one(lane_row + 2u, sums.z);
    store_one(lane_row + 3u, sums.w);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    find_lane();
    for (var i = group.x; i < chosen[1]; i += GROUPS_IN_ALL) {
        let tile = chosen[2u + i] - matrix.first / 64u;
        // Others are in another part of the head; those before this one wrap.
        if tile < (matrix.rows + 63u) / 64u {
            make_tile(tile, 0u, invocation);
        }
    }
}
