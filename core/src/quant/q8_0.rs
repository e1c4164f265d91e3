//! `Q8_0`: 32 weights of 8 bits and one scale, `d * q`. Source: GGML's `block_q8_0`.

use super::format::{Half, blocks};
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q8_0",
    ggml_type: 8,
    weights: 32,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout = Layout { low: 8, high: 0, bias: 128, codebook: None, scales: Scales::Flat, min: false };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    q: [i8; 32],
}
const _: () = assert!(size_of::<Block>() == 34);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<32>().0) {
        let d = block.d.to_f32();
        for (out, q) in out.iter_mut().zip(block.q) {
            *out = d * f32::from(q);
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        for (code, q) in out.codes.iter_mut().zip(block.q) {
            *code = q.cast_unsigned() ^ 0x80; // q + 128
        }
    }
}
