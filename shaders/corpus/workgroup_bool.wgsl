// WHY: a bool of workgroup memory may be a byte, and hardware that writes whole words then loses what the
// neighbours wrote.
// y = for each lane whether its opposite one has an odd x, as bits of eight words.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<workgroup> odd: array<bool, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    odd[lane] = (x[lane] & 1u) == 1u;
    workgroupBarrier();
    if lane < 8u {
        var bits = 0u;
        for (var i = 0u; i < 32u; i++) {
            bits |= u32(odd[255u - (32u * lane + i)]) << i;
        }
        y[lane] = bits;
    }
}
