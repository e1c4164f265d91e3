//! Quant formats: bytes <-> numbers <-> packed planes. Knows nothing of files, models or kernels.
//!
//! # The packed layout
//!
//! One layout serves the CPU's vectors and a GPU's lanes: *one lane is one row*. Rows are grouped in tiles of
//! [`TILE`] = 64 (the last tile is padded with zero rows), columns in blocks of [`BLOCK`] = 32, and every plane holds,
//! for `tile`, block `kb` of `KB`, and word `w` of the plane's `W` words a block,
//!
//! ```text
//! word index = ((tile * KB + kb) * W + w) * 64 + row_in_tile
//! ```
//!
//! so 4 lanes of NEON, 8 of AVX2, 16 of AVX-512 and 64 of a GPU read the same consecutive words.
//! A weight is an unsigned *code* `u` of 2 to 8 bits; its value is `scale * (decode(u)) + min`, where
//! `decode(u) = u - bias`, or `codebook[u]` for the two IQ4 formats.
//!
//! Codes live in a *low* plane of 2, 4 or 8 bits a code, and a *high* plane of 0, 1 or 2 bits (5 = 4+1, 6 = 4+2, 3 = 2+1).
//! Unpacked, a block is 8 words of 4 code bytes, word `i` holding columns `4i..4i+4` (byte `b` = column `4i+b`):
//!
//! | plane | words | word `i` (0..8) of the unpacked block gets |
//! |---|---|---|
//! | low 8 bits | 8 | `low[i]` |
//! | low 4 bits | 4 | `(low[i % 4] >> 4*(i/4)) & 0x0f0f0f0f` |
//! | low 2 bits | 2 | `(low[i % 2] >> 2*(i/2)) & 0x03030303` |
//! | high 1 bit | 1 | `((high[0] >> i) & 0x01010101) << LOW` |
//! | high 2 bits | 2 | `((high[i/4] >> 2*(i%4)) & 0x03030303) << LOW` |
//!
//! Scales are kept as the format's own factors, so that packing loses nothing:
//!
//! - [`Scales::Flat`]: one f16 a block (`d`), and one f16 `m` where the format has a minimum.
//! - [`Scales::Super`]: one f16 `d` for 8 blocks (256 columns) times an i8 for every `group` = 32 or 16 columns;
//!   with a minimum also one f16 (stored negated, so that `value = d*sub*u + m*submin` with a plus everywhere) and u8s.
//!
//! f16 planes hold 64 halves (one a row) where a words plane holds 64 words; i8 planes 64 bytes.
//! `d` of a super-block: index `(tile * KB/8 + kb/8) * 64 + row`; sub-scales: `((tile * KB + kb) * (32/group) + g) * 64 + row`.

/// Rows in a tile of the packed layout.
pub const TILE: usize = 64;
/// Columns in a packed block; activations have one scale for as many.
pub const BLOCK: usize = 32;

/// How the scales of a packed matrix are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scales {
    /// One f16 for every 32 columns.
    Flat,
    /// One f16 for every 256 columns, times an i8 for every `group` columns.
    Super {
        /// 16 or 32.
        group: usize,
    },
}

/// What a kernel must know of a packed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bits a code in the low plane: 2, 4 or 8.
    pub low: u8,
    /// Bits a code in the high plane: 0, 1 or 2.
    pub high: u8,
    /// Subtracted from a code (0 with a codebook).
    pub bias: u8,
    /// What the 16 codes mean, where they are not numbers.
    pub codebook: Option<&'static [i8; 16]>,
    /// How scales are stored.
    pub scales: Scales,
    /// Whether each scale has a minimum beside it.
    pub min: bool,
}

/// One source block, taken apart: codes in column order and the factors of its scales.
pub struct Split {
    /// Unsigned codes of the block's columns (the first 32 or all 256).
    pub codes: [u8; 256],
    /// Scale, as f16 bits.
    pub d: u16,
    /// Minimum, as f16 bits, to be added (negated where the format subtracts it).
    pub m: u16,
    /// Scales of the groups of a super-block.
    pub sub: [i8; 16],
    /// Minima of the groups of a super-block.
    pub submin: [u8; 16],
}

/// A format as data; one static a file, listed in [`FORMATS`].
pub struct Format {
    /// Upper-case name, as in GGUF tools (`Q4_K`).
    pub name: &'static str,
    /// The number in a GGUF tensor table.
    pub ggml_type: u32,
    /// Weights in a block.
    pub weights: usize,
    /// Bytes of a block.
    pub bytes: usize,
    /// The meaning: whole blocks to f32, `out.len()` a multiple of `weights`.
    pub dequantise: fn(&[u8], &mut [f32]),
    /// How it is packed; `None` for plain floats, which kernels read as they are.
    pub packed: Option<(Layout, fn(&[u8], &mut Split))>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
