//! `Q4_0`: 32 weights of 4 bits and one scale, `d * (q - 8)`. Source: GGML's `block_q4_0`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q4_0",
    ggml_type: 2,
    weights: 32,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout = Layout { low: 4, high: 0, bias: 8, codebook: None, scales: Scales::Flat, min: false };

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
            out[j] = d * (f32::from(q & 15) - 8.0);
            out[16 + j] = d * (f32::from(q >> 4) - 8.0);
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
