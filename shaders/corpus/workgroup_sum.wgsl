// WHY: with the barriers of some drivers only the first lanes wait for each other, so that a sum over a group is
// that of two of its lanes. Norms and attention add up like this.
// y = for each group the sum of its 256 words of x.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> sums: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    sums[lane] = x[id.x];
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            sums[lane] += sums[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 255u {
        y[id.x / 256u] = sums[0];
    }
}
