// WHY: compilers that take no number for NaN (Metal's by default) find that x != x is never true. The kernels look
// at the bits of a number instead; this asks whether that survives arithmetic before it. x[8] is 1, which no
// compiler can know.
// y = whether x[i] is not a number.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32) {
    let product = bitcast<f32>(x[lane]) * bitcast<f32>(x[8]);
    y[lane] = u32((bitcast<u32>(product) & 0x7fffffffu) > 0x7f800000u);
}
