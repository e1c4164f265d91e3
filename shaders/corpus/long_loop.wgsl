// WHY: the software rasteriser of older Mesa ends a loop after 65,535 rounds, which all loops of a shader share, and goes on as if
// it were done. Nothing says so.
// y = the sum of all numbers below x[0], 2^20. x[1] is 0, which no compiler can know.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(1)
fn main() {
    var sum = 0u;
    for (var i = 0u; i < x[0]; i++) {
        sum += i ^ x[1];
    }
    y[0] = sum;
}
