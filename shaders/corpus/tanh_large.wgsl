// WHY: where tanh is a quotient of exponentials it is infinity by infinity for large numbers, which is not a
// number; so on Metal, and on Vulkan with some drivers. The exponential of the other functions must end at infinity
// and at 0.
// y = tanh(x), then 1 / (1 + exp(-x)).
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(7)
fn main(@builtin(local_invocation_index) lane: u32) {
    let value = bitcast<f32>(x[lane]);
    y[lane] = bitcast<u32>(tanh(value));
    y[7u + lane] = bitcast<u32>(1.0 / (1.0 + exp(-value)));
}
