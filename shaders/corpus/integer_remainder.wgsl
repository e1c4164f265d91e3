// WHY: NVIDIA's compiler takes the remainder of a negative number as if it were unsigned. The kernels find rows and
// blocks by / and % of numbers that are only known at run time.
// y = for each pair of x: quotient and remainder as signed numbers, then as unsigned ones.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) lane: u32) {
    let a = x[2u * lane];
    let b = x[2u * lane + 1u];
    y[4u * lane] = bitcast<u32>(bitcast<i32>(a) / bitcast<i32>(b));
    y[4u * lane + 1u] = bitcast<u32>(bitcast<i32>(a) % bitcast<i32>(b));
    y[4u * lane + 2u] = a / b;
    y[4u * lane + 3u] = a % b;
}
