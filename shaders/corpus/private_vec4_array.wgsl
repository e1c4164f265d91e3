// WHY: the compiler of an Adreno 650 ends the process where a shader writes some components, but not the last, of
// an element of a private array of 19 or more vectors. The kernels' arrays have at most 16 elements.
// y = the components x, y, z and w of the elements that x names.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

var<private> values: array<vec4<f32>, 20>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) lane: u32) {
    values[0].x = 1.0;
    values[7].y = 2.0;
    values[18].z = 3.0;
    values[19].x = 4.0;
    let value = vec4<u32>(values[x[lane]]);
    y[lane] = 1000u * value.x + 100u * value.y + 10u * value.z + value.w;
}
