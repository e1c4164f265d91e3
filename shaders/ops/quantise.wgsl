// Activations as integers, in the form of `common/activations_*.wgsl`.
//
// x      [rows][blocks][8] vectors of four f32
// x_out  [rows][blocks][X_VECTORS] vectors of four words
//
// One invocation makes one block of 32 columns. Grid: blocks / 64 x rows.

@group(0) @binding(1) var<uniform> blocks: u32;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x_out: array<vec4<u32>>;

fn x_source(at: u32) -> vec4<f32> {
    return x[at];
}

fn store_x(at: u32, vector: vec4<u32>) {
    x_out[at] = vector;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < blocks {
        let block = id.y * blocks + id.x;
        quantise(block * 8u, block * X_VECTORS);
    }
}
