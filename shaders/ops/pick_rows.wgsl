// The rows whose logits are wanted.
//
// x    [rows][width]
// out  [wanted][width]
//
// One invocation makes one column. Grid: width / 64 x wanted.

@group(0) @binding(1) var<uniform> width: u32;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        out[id.y * width + id.x] = x[(step.wanted_first + id.y) * width + id.x];
    }
}
