//! `Q2_K`: 256 weights of 2 bits; each 16 have a 4-bit scale and a 4-bit minimum, `d * sc * q - dmin * mn`.
//! Source: GGML's `block_q2_K`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q2_K",
    ggml_type: 10,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 2, high: 0, bias: 0, codebook: None, scales: Scales::Super { group: 16 }, min: true };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    /// Of each 16 columns: the scale in the low nibble, the minimum in the high one.
    scales: [u8; 16],
    /// Two halves of 128 columns: byte `32 * half + l` holds column `128 * half + 32 * i + l` in bits `2i`, `2i + 1`.
    q: [u8; 64],
    d: Half,
    dmin: Half,
}
const _: () = assert!(size_of::<Block>() == 84);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let (d, dmin) = (block.d.to_f32(), block.dmin.to_f32());
        let codes = two_bits(&block.q);
        for (g, scale) in block.scales.into_iter().enumerate() {
            let scale_d = d * f32::from(scale & 15);
            let scale_m = dmin * f32::from(scale >> 4);
            for c in 16 * g..16 * g + 16 {
                out[c] = scale_d * f32::from(codes[c]) - scale_m;
            }
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.m = block.dmin.negated();
        out.codes = two_bits(&block.q);
        for (g, scale) in block.scales.into_iter().enumerate() {
            out.sub[g] = (scale & 15).cast_signed();
            out.submin[g] = scale >> 4;
        }
    }
}

/// The pairs of bits in column order; `Q3_K` stores its low bits alike.
pub(super) fn two_bits(q: &[u8; 64]) -> [u8; 256] {
    let mut codes = [0; 256];
    for (out, q) in codes.as_chunks_mut::<128>().0.iter_mut().zip(q.as_chunks::<32>().0) {
        for (i, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (code, q) in out.iter_mut().zip(q) {
                *code = (q >> (2 * i)) & 3;
            }
        }
    }
    codes
}
