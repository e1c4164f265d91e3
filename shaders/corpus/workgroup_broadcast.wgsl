// WHY: Metal's compiler drops a barrier: one lane takes a number from a counter and puts it into workgroup memory,
// and the others read it too early. The store after it must be guarded for that.
// y = the counter, taken once from 6; then 6 and the lane's number for each lane below x[0].
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<atomic<u32>>;

var<workgroup> first: u32;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane == 255u {
        atomicStore(&y[0], 6u);
        first = atomicAdd(&y[0], 1u);
    }
    workgroupBarrier();
    let mine = first + lane;
    if lane < x[0] {
        atomicStore(&y[1u + lane], mine);
    }
}
