// out[row][r] = sum over k of x[row][k] * weight[r][k] + bias[r], for a few rows: weights are read once for each.
//
// One group of 64 invocations makes 64 outputs of one row. Grid: tiles x rows.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    find_lane();
    make_tile(group.x, group.y, invocation);
}
