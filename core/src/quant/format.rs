//! What a format is, as data, and what the format files share.

use bytemuck::AnyBitPattern;

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
    /// Bits a code in the high plane: 0, 1, 2 or 4.
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

impl Layout {
    /// The same codes of 8 bits as two planes of 4, so that a kernel can read the upper halves alone.
    pub fn halved(self) -> Option<Self> {
        let plain = self.low == 8 && self.codebook.is_none() && self.scales == Scales::Flat && !self.min;
        plain.then_some(Self { low: 4, high: 4, ..self })
    }

    /// Whether it was made by [`halved`](Self::halved): no format has as many bits in both planes.
    pub fn is_halved(&self) -> bool {
        self.low == self.high
    }
}

/// One source block, taken apart: codes in column order and the factors of its scales.
#[derive(Clone)]
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

/// A format as data; one static a file, listed in [`super::FORMATS`].
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

impl Split {
    /// All zeros.
    pub const fn new() -> Self {
        Self { codes: [0; 256], d: 0, m: 0, sub: [0; 16], submin: [0; 16] }
    }
}

impl Default for Split {
    fn default() -> Self {
        Self::new()
    }
}

/// An f16 as it lies in a block, which aligns nothing: little-endian bytes.
#[derive(Clone, Copy, AnyBitPattern)]
#[repr(transparent)]
pub(super) struct Half([u8; 2]);

impl Half {
    pub(super) fn bits(self) -> u16 {
        u16::from_le_bytes(self.0)
    }

    pub(super) fn to_f32(self) -> f32 {
        half::f16::from_bits(self.bits()).to_f32()
    }

    /// Bits of the number with the other sign.
    pub(super) fn negated(self) -> u16 {
        self.bits() ^ 0x8000
    }
}

/// The whole blocks in `bytes`, each a struct of bytes as the format's file documents it.
pub(super) fn blocks<B: AnyBitPattern>(bytes: &[u8]) -> &[B] {
    const { assert!(align_of::<B>() == 1, "a block lies anywhere in a file") };
    let whole = bytes.len() / size_of::<B>() * size_of::<B>();
    bytes.get(..whole).and_then(|bytes| bytemuck::try_cast_slice(bytes).ok()).unwrap_or_default()
}
