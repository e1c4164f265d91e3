// WHY: on an Adreno 840 a product of matrices is now and then wrong in whole groups, if a group is 8 x 8 or 4 x 16
// lanes; with no memory shared and no barrier the shape must not matter. Each lane computes 4 x 4 outputs, as
// there.
// y = the identity matrix times x, both of 256 rows and columns. Row r of the identity is where column x[r] is r.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

const SIZE: u32 = 256u;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = 4u * id.y;
    let column = 4u * id.x;
    let rows = vec4(x[row], x[row + 1u], x[row + 2u], x[row + 3u]);
    var sums: array<vec4<f32>, 4>;
    for (var k = 0u; k < SIZE; k++) {
        let at = k * SIZE + column;
        let b = vec4<f32>(vec4(x[at], x[at + 1u], x[at + 2u], x[at + 3u]));
        let a = vec4<f32>(rows == vec4(k));
        sums[0] += a.x * b;
        sums[1] += a.y * b;
        sums[2] += a.z * b;
        sums[3] += a.w * b;
    }
    for (var i = 0u; i < 4u; i++) {
        let out = vec4<u32>(sums[i]);
        let at = (row + i) * SIZE + column;
        y[at] = out.x;
        y[at + 1u] = out.y;
        y[at + 2u] = out.z;
        y[at + 3u] = out.w;
    }
}
