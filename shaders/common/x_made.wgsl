// The input of a product that each group makes for itself, of at most 2,048 columns.

// Columns first, then the parts of the sums.
var<workgroup> shared_floats: array<f32, 2048>;
var<workgroup> made: array<vec4<u32>, 64u * X_VECTORS>;

fn keep(i: u32, value: f32) {
    shared_floats[i] = value;
}

fn x_at(i: u32) -> f32 {
    return shared_floats[i];
}

fn store_x(at: u32, vector: vec4<u32>) {
    made[at] = vector;
}

fn x_vector(at: u32) -> vec4<u32> {
    return made[at];
}

fn x_word(at: u32) -> u32 {
    return made[at / 4u][at % 4u];
}

fn prepare_x(before: Before, writes: bool, lane: u32) {
    make_x(before, writes, lane);
}
