//! `Q3_K`: 256 weights of 3 bits; each 16 have a 6-bit scale, `d * (sc - 32) * (q - 4)`. Source: GGML's `block_q3_K`.

use super::format::{Half, blocks};
use super::q2_k::two_bits;
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q3_K",
    ggml_type: 11,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 2, high: 1, bias: 4, codebook: None, scales: Scales::Super { group: 16 }, min: false };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    /// The third bit of column `32 * i + l` is bit `i` of byte `l`.
    high: [u8; 32],
    /// As in `Q2_K`.
    low: [u8; 64],
    /// Scale `g`: 4 low bits in the nibble `g / 8` of byte `g % 8`, 2 high bits at bit `2 * (g / 4)` of byte `8 + g % 4`.
    scales: [u8; 12],
    d: Half,
}
const _: () = assert!(size_of::<Block>() == 110);

impl Block {
    fn codes(&self) -> [u8; 256] {
        let mut codes = two_bits(&self.low);
        for (i, codes) in codes.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (code, high) in codes.iter_mut().zip(self.high) {
                *code |= ((high >> i) & 1) << 2;
            }
        }
        codes
    }

    fn scale(&self, g: usize) -> i8 {
        let low = (self.scales[g % 8] >> (4 * (g / 8))) & 15;
        let high = (self.scales[8 + g % 4] >> (2 * (g / 4))) & 3;
        (low | high << 4).cast_signed() - 32
    }
}

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let d = block.d.to_f32();
        let codes = block.codes();
        for g in 0..16 {
            let scale = d * f32::from(block.scale(g));
            for c in 16 * g..16 * g + 16 {
                out[c] = scale * (f32::from(codes[c]) - 4.0);
            }
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.codes = block.codes();
        for (g, sub) in out.sub.iter_mut().enumerate() {
            *sub = block.scale(g);
        }
    }
}
