// The input of a product that a kernel before has made.
//
// x  [blocks][X_VECTORS] vectors of four words

struct Before {
    unused: array<vec4<u32>, 2>,
}

@group(0) @binding(7) var<storage, read> x: array<vec4<u32>>;

var<workgroup> shared_floats: array<f32, 1024>;

fn x_vector(at: u32) -> vec4<u32> {
    return x[at];
}

fn x_word(at: u32) -> u32 {
    return x[at / 4u][at % 4u];
}

fn prepare_x(before: Before, writes: bool, lane: u32) {}
