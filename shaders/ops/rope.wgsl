// Turns pairs of each head's columns by an angle that grows with the position.
//
// turns   [rows][dims / 2] (sine, cosine)
// x, out  [rows][heads][head_dim]
//
// One invocation makes one column. Grid: width / 64 x rows.

struct Rope {
    width: u32,     // heads * head_dim
    head_dim: u32,
    dims: u32,      // columns of a head that turn
    adjacent: u32,  // 1: columns 2i and 2i + 1 are a pair; 0: i and i + dims / 2
}

@group(0) @binding(1) var<uniform> rope: Rope;
@group(0) @binding(2) var<storage, read> turns: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn x_at(at: u32) -> f32 {
    return x[at];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < rope.width {
        let at = id.y * rope.width + id.x;
        out[at] = turned(id.x % rope.head_dim, at, rope.dims, rope.adjacent == 1u, id.y * (rope.dims / 2u));
    }
}
