//! `Q5_0`: 32 weights of 5 bits and one scale, `d * (q - 16)`. Source: GGML's `block_q5_0`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q5_0",
    ggml_type: 6,
    weights: 32,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout = Layout { low: 4, high: 1, bias: 16, codebook: None, scales: Scales::Flat, min: false };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    /// The fifth bit of column `c` is bit `c` of this little-endian word.
    high: [u8; 4],
    /// Byte `j`: low bits of column `j` in the low nibble, of column `16 + j` in the high one.
    low: [u8; 16],
}
const _: () = assert!(size_of::<Block>() == 22);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<32>().0) {
        let d = block.d.to_f32();
        for (out, q) in out.iter_mut().zip(codes(block.low, block.high)) {
            *out = d * (f32::from(q) - 16.0);
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.codes[..32].copy_from_slice(&codes(block.low, block.high));
    }
}

/// The 5-bit codes in column order; `Q5_1` stores them alike.
pub(super) fn codes(low: [u8; 16], high: [u8; 4]) -> [u8; 32] {
    let mut codes = [0; 32];
    for (j, q) in low.into_iter().enumerate() {
        codes[j] = q & 15;
        codes[16 + j] = q >> 4;
    }
    for (c, code) in codes.iter_mut().enumerate() {
        *code |= ((high[c / 8] >> (c % 8)) & 1) << 4;
    }
    codes
}
