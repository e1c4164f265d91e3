// What comes before a product that is too wide to make it in every group, for one row: see `common/before.wgsl`.
//
// row      values of the token
// vectors  all vectors of the model
// x_out    [width / 32][X_VECTORS] vectors of four words
//
// One group of 256 invocations. Workgroup memory: 288 bytes.

struct Stage {
    before: Before,
    kept: u32,  // a place in `row` for columns meanwhile
}

@group(0) @binding(1) var<uniform> stage: Stage;
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read_write> row: array<f32>;
@group(0) @binding(4) var<storage, read_write> x_out: array<vec4<u32>>;

const LANES: u32 = 256u;

fn keep(i: u32, value: f32) {
    row[stage.kept + i] = value;
}

fn x_at(i: u32) -> f32 {
    return row[stage.kept + i];
}

fn store_x(at: u32, vector: vec4<u32>) {
    x_out[at] = vector;
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    make_x(stage.before, true, lane);
}
