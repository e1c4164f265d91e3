//! `Q5_K`: 256 weights of 5 bits; each 32 have a 6-bit scale and a 6-bit minimum, `d * sc * q - dmin * mn`.
//! Source: GGML's `block_q5_K`.

use super::format::{Half, blocks};
use super::q4_k::{SixBits, nibbles};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q5_K",
    ggml_type: 13,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 4, high: 1, bias: 0, codebook: None, scales: Scales::Super { group: 32 }, min: true };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    dmin: Half,
    /// As in `Q4_K`.
    scales: SixBits,
    /// The fifth bit of column `32 * i + l` is bit `i` of byte `l`.
    high: [u8; 32],
    /// As in `Q4_K`.
    low: [u8; 128],
}
const _: () = assert!(size_of::<Block>() == 176);

impl Block {
    fn codes(&self) -> [u8; 256] {
        let mut codes = nibbles(&self.low);
        for (i, codes) in codes.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (code, high) in codes.iter_mut().zip(self.high) {
                *code |= ((high >> i) & 1) << 4;
            }
        }
        codes
    }
}

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let (d, dmin) = (block.d.to_f32(), block.dmin.to_f32());
        let codes = block.codes();
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
        out.codes = block.codes();
        block.scales.split(out);
    }
}
