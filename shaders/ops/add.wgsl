// out = a + b.
//
// a, b, out  [rows][width]
//
// One invocation makes one column. Grid: width / 64 x rows.

@group(0) @binding(1) var<uniform> width: u32;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        let at = id.y * width + id.x;
        out[at] = a[at] + b[at];
    }
}
