//! `Q4_K`: 256 weights of 4 bits; each 32 have a 6-bit scale and a 6-bit minimum, `d * sc * q - dmin * mn`.
//! Source: GGML's `block_q4_K`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q4_K",
    ggml_type: 12,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 4, high: 0, bias: 0, codebook: None, scales: Scales::Super { group: 32 }, min: true };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    dmin: Half,
    scales: SixBits,
    q: [u8; 128],
}
const _: () = assert!(size_of::<Block>() == 144);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let (d, dmin) = (block.d.to_f32(), block.dmin.to_f32());
        let codes = nibbles(&block.q);
        for g in 0..8 {
            let scale_d = d * f32::from(block.scales.scale(g));
            let scale_m = dmin * f32::from(block.scales.min(g));
            for c in 32 * g..32 * g + 32 {
                out[c] = scale_d * f32::from(codes[c]) - scale_m;
            }
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.m = block.dmin.negated();
        out.codes = nibbles(&block.q);
        block.scales.split(out);
    }
}

/// Eight scales and eight minima of 6 bits in 12 bytes; `Q5_K` has the same.
///
/// Scale `g` of the first four is the low 6 bits of byte `g`, minimum `g` those of byte `4 + g`. Of the last four, byte
/// `4 + g` has the scale's low 4 bits in its low nibble and the minimum's in its high one, and their upper 2 bits are
/// the top bits of bytes `g - 4` and `g`.
#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
pub(super) struct SixBits([u8; 12]);

impl SixBits {
    pub(super) fn scale(&self, g: usize) -> u8 {
        if g < 4 { self.0[g] & 63 } else { self.0[g + 4] & 15 | (self.0[g - 4] >> 6) << 4 }
    }

    pub(super) fn min(&self, g: usize) -> u8 {
        if g < 4 { self.0[g + 4] & 63 } else { self.0[g + 4] >> 4 | (self.0[g] >> 6) << 4 }
    }

    pub(super) fn split(&self, out: &mut Split) {
        for g in 0..8 {
            out.sub[g] = self.scale(g).cast_signed();
            out.submin[g] = self.min(g);
        }
    }
}

/// The nibbles in column order: of 32 bytes, the low nibbles are 32 columns and the high nibbles the next 32.
pub(super) fn nibbles(q: &[u8; 128]) -> [u8; 256] {
    let mut codes = [0; 256];
    for (out, q) in codes.as_chunks_mut::<64>().0.iter_mut().zip(q.as_chunks::<32>().0) {
        for (l, q) in q.iter().enumerate() {
            out[l] = q & 15;
            out[32 + l] = q >> 4;
        }
    }
    codes
}
