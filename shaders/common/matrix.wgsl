// A packed matrix, or a range of its rows: planes of tiles of 64 rows, where one lane is one row. The layout is the
// CPU's; see `quant/mod.rs` of the core.
//
// low     [tiles][blocks][LOW_WORDS][64] words: low bits of the codes
// high    [tiles][blocks][HIGH_WORDS][64] words: their high bits; `low` again where there are none
// scales  halves and bytes of the scales, each plane from the word given in `matrix`
// x       [rows][blocks][X_WORDS] words: quantised activations
// bias    [rows of the whole matrix]; one word where there is none
// out     [rows][width]

struct Matrix {
    blocks: u32,    // of 32 columns
    rows: u32,      // of this range, without the padding of its last tile
    first: u32,     // its first row in the whole matrix
    width: u32,     // rows of the whole matrix
    d: u32,         // where planes begin in `scales`, in words
    m: u32,
    sub: u32,
    submin: u32,
}

@group(0) @binding(1) var<uniform> matrix: Matrix;
@group(0) @binding(2) var<storage, read> low: array<u32>;
@group(0) @binding(3) var<storage, read> high: array<u32>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;
@group(0) @binding(5) var<storage, read> x: array<u32>;
@group(0) @binding(6) var<storage, read> bias: array<f32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;

override HAS_BIAS: bool = false;

// Codes of a block's 32 columns, a byte each, four a word: the first 16 columns, the last 16.
struct Codes {
    first: vec4<u32>,
    last: vec4<u32>,
}

// Scale and minimum of the first 16 columns and of the last 16.
struct BlockScales {
    d: vec2<f32>,
    m: vec2<f32>,
}

// Blocks whose products are summed up on their own, before they are added to the output: the order of additions is the
// same for any number of rows and any split of the work.
const SEGMENT: u32 = 8u;

fn finish(sum: f32, lane_row: u32) -> f32 {
    if HAS_BIAS {
        return sum + bias[matrix.first + lane_row];
    }
    return sum;
}
