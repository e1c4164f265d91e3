// WHY: both arms of a select are computed, also the one that is not taken. Without checks its index may be
// anywhere; a Mali, where workgroup memory is ordinary memory, is lost by that. The kernels keep the indices of
// both arms within the array.
// y = x of the lane before, 0 for the first.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> values: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    values[lane] = x[lane];
    workgroupBarrier();
    y[lane] = select(0u, values[lane - 1u], lane > 0u);
}
