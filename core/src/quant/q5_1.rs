//! `Q5_1`: 32 weights of 5 bits, a scale and a minimum, `d * q + m`. Source: GGML's `block_q5_1`.

use super::format::{Half, blocks};
use super::q5_0::codes;
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "Q5_1",
    ggml_type: 7,
    weights: 32,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout = Layout { low: 4, high: 1, bias: 0, codebook: None, scales: Scales::Flat, min: true };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    m: Half,
    /// The fifth bit of column `c` is bit `c` of this little-endian word.
    high: [u8; 4],
    /// Byte `j`: low bits of column `j` in the low nibble, of column `16 + j` in the high one.
    low: [u8; 16],
}
const _: () = assert!(size_of::<Block>() == 24);

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<32>().0) {
        let (d, m) = (block.d.to_f32(), block.m.to_f32());
        for (out, q) in out.iter_mut().zip(codes(block.low, block.high)) {
            *out = d * f32::from(q) + m;
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.m = block.m.bits();
        out.codes[..32].copy_from_slice(&codes(block.low, block.high));
    }
}
