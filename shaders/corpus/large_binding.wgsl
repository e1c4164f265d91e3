// WHY: drivers that compute an address with too few bits read nothing, or something else, far into a large buffer.
// Weights are bound in pieces of up to 128 MiB, as here, and read four words at a time.
// y = the last four words of each eighth of x.
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32) {
    y[lane] = x[(lane + 1u) * (arrayLength(&x) / 8u) - 1u];
}
