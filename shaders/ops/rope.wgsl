// Turns pairs of each head's columns by an angle that grows with the position.
//
// turns   [rows][dims / 2] (sine, cosine), made by the CPU in f64: an f32 angle is off by milliradians at long contexts
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= rope.width {
        return;
    }
    let row = id.y;
    let at = row * rope.width + id.x;
    let column = id.x % rope.head_dim;
    if column >= rope.dims {
        out[at] = x[at];
        return;
    }
    let pairs = rope.dims / 2u;
    let is_second = select(column >= pairs, (column & 1u) == 1u, rope.adjacent == 1u);
    let pair = select(column % pairs, column / 2u, rope.adjacent == 1u);
    let distance = select(pairs, 1u, rope.adjacent == 1u);
    let turn = turns[row * pairs + pair];
    if is_second {
        out[at] = x[at - distance] * turn.x + x[at] * turn.y;
    } else {
        out[at] = x[at] * turn.y - x[at + distance] * turn.x;
    }
}
