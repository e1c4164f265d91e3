// WHY: AMD's driver for Windows claims fast products of packed bytes on hardware without them, and computes them
// wrongly. Tiers 1 and 2 multiply weights with nothing else.
// y = for each of four pairs of x: its product of signed bytes, of unsigned bytes; then the sums of either.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(1)
fn main() {
    var signed_sum = 0;
    var unsigned_sum = 0u;
    for (var i = 0u; i < 4u; i++) {
        let signed = dot4I8Packed(x[2u * i], x[2u * i + 1u]);
        let unsigned = dot4U8Packed(x[2u * i], x[2u * i + 1u]);
        y[2u * i] = bitcast<u32>(signed);
        y[2u * i + 1u] = unsigned;
        signed_sum += signed;
        unsigned_sum += unsigned;
    }
    y[8] = bitcast<u32>(signed_sum);
    y[9] = unsigned_sum;
}
