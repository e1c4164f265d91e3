// WHY: AMD's driver for Windows takes bytes wrongly out of half a word on RDNA 1 and 2. Weights of 8 bits are bytes in
// words.
// y = for each word of x its bytes, the lowest first: of the lower half, then of the upper half shifted down.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) lane: u32) {
    let lower = unpack4xI8(x[lane] & 0xffffu).xy;
    let upper = unpack4xI8(x[lane] >> 16u).xy;
    let bytes = bitcast<vec4<u32>>(vec4(lower, upper));
    for (var i = 0u; i < 4u; i++) {
        y[4u * lane + i] = bytes[i];
    }
}
