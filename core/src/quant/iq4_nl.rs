//! `IQ4_NL`: 32 weights of 4 bits that index a table of 16 uneven steps, and one scale, `d * CODEBOOK[q]`.
//! Source: GGML's `block_iq4_nl` and its table of values.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "IQ4_NL",
    ggml_type: 20,
    weights: 32,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout = Layout { low: 4, high: 0, bias: 0, codebook: Some(&CODEBOOK), scales: Scales::Flat, min: false };

/// What the 16 codes mean; `IQ4_XS` has the same.
pub(super) static CODEBOOK: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    /// Byte `j`: column `j` in the low nibble, column `16 + j` in the high one.
    q: [u8; 16],
}
const _: () = assert!(size_of::<Block>() == 18);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<32>().0) {
        let d = block.d.to_f32();
        for (j, q) in block.q.into_iter().enumerate() {
            out[j] = d * f32::from(CODEBOOK[usize::from(q & 15)]);
            out[16 + j] = d * f32::from(CODEBOOK[usize::from(q >> 4)]);
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        for (j, q) in block.q.into_iter().enumerate() {
            out.codes[j] = q & 15;
            out.codes[16 + j] = q >> 4;
        }
    }
}
