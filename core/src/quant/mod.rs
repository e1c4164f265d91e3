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
//! Codes live in a *low* plane of 2, 4 or 8 bits a code, and a *high* plane of 0, 1, 2 or 4 bits (5 = 4+1, 6 = 4+2,
//! 3 = 2+1; the output head of 8 bits is 4+4, see [`Layout::halved`]).
//! Unpacked, a block is 8 words of 4 code bytes, word `i` holding columns `4i..4i+4` (byte `b` = column `4i+b`):
//!
//! | plane | words | word `i` (0..8) of the unpacked block gets |
//! |---|---|---|
//! | low 8 bits | 8 | `low[i]` |
//! | low 4 bits | 4 | `(low[i % 4] >> 4*(i/4)) & 0x0f0f0f0f` |
//! | low 2 bits | 2 | `(low[i % 2] >> 2*(i/2)) & 0x03030303` |
//! | high 1 bit | 1 | `((high[0] >> i) & 0x01010101) << LOW` |
//! | high 2 bits | 2 | `((high[i/4] >> 2*(i%4)) & 0x03030303) << LOW` |
//! | high 4 bits | 4 | `((high[i % 4] >> 4*(i/4)) & 0x0f0f0f0f) << LOW` |
//!
//! Scales are kept as the format's own factors, so that packing loses nothing:
//!
//! - [`Scales::Flat`]: one f16 a block (`d`), and one f16 `m` where the format has a minimum.
//! - [`Scales::Super`]: one f16 `d` for 8 blocks (256 columns) times an i8 for every `group` = 32 or 16 columns;
//!   with a minimum also one f16 (stored negated, so that `value = d*sub*u + m*submin` with a plus everywhere) and u8s.
//!
//! f16 planes hold 64 halves (one a row) where a words plane holds 64 words; i8 planes 64 bytes.
//! `d` of a super-block: index `(tile * KB/8 + kb/8) * 64 + row`; sub-scales: `((tile * KB + kb) * (32/group) + g) * 64 + row`.

mod arena;
mod bf16;
mod f16;
mod f32;
mod format;
mod iq4_nl;
mod iq4_xs;
mod names;
mod pack;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;

pub use arena::{Arena, Region};
pub use format::{BLOCK, Format, Layout, Scales, Split, TILE};
pub use names::ggml_name;
pub use pack::{Packed, TileBytes};

/// Every format there is; a new one is a file and a line here.
pub static FORMATS: [&Format; 15] = [
    &f32::FORMAT,
    &f16::FORMAT,
    &bf16::FORMAT,
    &q4_0::FORMAT,
    &q4_1::FORMAT,
    &q5_0::FORMAT,
    &q5_1::FORMAT,
    &q8_0::FORMAT,
    &q2_k::FORMAT,
    &q3_k::FORMAT,
    &q4_k::FORMAT,
    &q5_k::FORMAT,
    &q6_k::FORMAT,
    &iq4_nl::FORMAT,
    &iq4_xs::FORMAT,
];

/// The format of a number in a GGUF tensor table.
pub fn by_ggml_type(number: u32) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.ggml_type == number).copied()
}

/// The format of a name, in any case.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name)).copied()
}

/// The names of all formats, for messages.
pub fn known() -> String {
    FORMATS.map(|format| format.name).join(", ")
}
