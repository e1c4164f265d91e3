//! `Q6_K`: 256 weights of 6 bits; each 16 have an 8-bit scale, `d * sc * (q - 32)`. Source: GGML's `block_q6_K`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q6_K",
    ggml_type: 14,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 4, high: 2, bias: 32, codebook: None, scales: Scales::Super { group: 16 }, min: false };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    /// Two halves of 128 columns: byte `64 * half + l` holds the low bits of column `128 * half + l` in its low nibble
    /// and of column `128 * half + 64 + l` in its high one.
    low: [u8; 128],
    /// Byte `32 * half + l` holds the upper bits of column `128 * half + 32 * i + l` in bits `2i`, `2i + 1`.
    high: [u8; 64],
    scales: [i8; 16],
    d: Half,
}
const _: () = assert!(size_of::<Block>() == 210);

impl Block {
    fn codes(&self) -> [u8; 256] {
        let mut codes = [0; 256];
        let halves = codes.as_chunks_mut::<128>().0.iter_mut();
        for ((out, low), high) in halves.zip(self.low.as_chunks::<64>().0).zip(self.high.as_chunks::<32>().0) {
            for (l, low) in low.iter().enumerate() {
                out[l] = low & 15;
                out[64 + l] = low >> 4;
            }
            for (i, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                for (code, high) in out.iter_mut().zip(high) {
                    *code |= ((high >> (2 * i)) & 3) << 4;
                }
            }
        }
        codes
    }
}

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let d = block.d.to_f32();
        let codes = block.codes();
        for (g, scale) in block.scales.into_iter().enumerate() {
            let scale = d * f32::from(scale);
            for c in 16 * g..16 * g + 16 {
                out[c] = scale * (f32::from(codes[c]) - 32.0);
            }
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.codes = block.codes();
        out.sub = block.scales;
    }
}
