// A packed matrix, or a range of its rows: planes of tiles of 64 rows, of which one lane takes four neighbours, so that it
// reads 16 bytes at a time and uses what it reads of the activations four times. The layout is the CPU's; see
// `quant/mod.rs` of the core.
//
// low     [tiles][blocks][LOW_WORDS][16] vectors of four rows: low bits of the codes
// high    [tiles][blocks][HIGH_WORDS][16] vectors: their high bits; `low` again where there are none
// scales  halves and bytes of the scales, each plane from the word given in `matrix`

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

@group(0) @binding(2) var<storage, read> low: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> high: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;

// Codes of 16 columns of four rows: a word has four columns, a byte each; a vector's components are the rows.
struct Half {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

// Codes of a block.
struct Codes {
    first: Half,
    last: Half,
}

// Scales and minima of four rows, of the first 16 columns and of the last 16.
struct BlockScales {
    d_first: vec4<f32>,
    d_last: vec4<f32>,
    m_first: vec4<f32>,
    m_last: vec4<f32>,
}

// Halves of four rows; `at` is the first one's word.
fn halves(at: u32) -> vec4<f32> {
    return vec4(unpack2x16float(scales[at]), unpack2x16float(scales[at + 1u]));
}

// Blocks whose products are summed up on their own, before they are added to the output: the order of additions is the
// same for any number of rows and any split of the work.
const SEGMENT: u32 = 8u;
