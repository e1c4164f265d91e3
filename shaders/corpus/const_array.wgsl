// WHY: naga wrote wrong SPIR-V for a constant array that is indexed twice, which ended RADV's compiler and lost
// llvmpipe's device.
// y = two digits out of the array: that at x[i], and its neighbour.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32) {
    const DIGITS = array<u32, 8>(3u, 1u, 4u, 1u, 5u, 9u, 2u, 6u);
    let digit = DIGITS[x[lane]];
    let neighbour = DIGITS[x[lane] ^ 1u];
    y[lane] = 10u * digit + neighbour;
}
