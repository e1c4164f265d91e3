//! `IQ4_XS`: 256 weights of 4 bits that index `IQ4_NL`'s table; each 32 have a 6-bit scale, `d * (sc - 32) * CODEBOOK[q]`.
//! Source: GGML's `block_iq4_xs`.

use super::format::{Half, blocks};
use super::iq4_nl::CODEBOOK;
use super::{Format, Layout, Scales, Split};
use bytemuck::AnyBitPattern;

pub(super) static FORMAT: Format = Format {
    name: "IQ4_XS",
    ggml_type: 23,
    weights: 256,
    bytes: size_of::<Block>(),
    dequantise,
    packed: Some((LAYOUT, split)),
};

const LAYOUT: Layout =
    Layout { low: 4, high: 0, bias: 0, codebook: Some(&CODEBOOK), scales: Scales::Super { group: 32 }, min: false };

#[derive(Clone, Copy, AnyBitPattern)]
#[repr(C)]
struct Block {
    d: Half,
    /// The upper 2 bits of scale `g` at bit `2g` of this little-endian word.
    scales_high: [u8; 2],
    /// The low 4 bits of scale `g` in the nibble `g % 2` of byte `g / 2`.
    scales_low: [u8; 4],
    /// Of each 32 columns 16 bytes; byte `j`: column `j` in the low nibble, column `16 + j` in the high one.
    q: [u8; 128],
}
const _: () = assert!(size_of::<Block>() == 136);

impl Block {
    fn codes(&self) -> [u8; 256] {
        let mut codes = [0; 256];
        for (out, q) in codes.as_chunks_mut::<32>().0.iter_mut().zip(self.q.as_chunks::<16>().0) {
            for (j, q) in q.iter().enumerate() {
                out[j] = q & 15;
                out[16 + j] = q >> 4;
            }
        }
        codes
    }

    fn scale(&self, g: usize) -> i8 {
        let low = (self.scales_low[g / 2] >> (4 * (g % 2))) & 15;
        let high = (self.scales_high[g / 4] >> (2 * (g % 4))) & 3;
        (low | high << 4).cast_signed() - 32
    }
}

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (block, out) in blocks::<Block>(bytes).iter().zip(out.as_chunks_mut::<256>().0) {
        let d = block.d.to_f32();
        let codes = block.codes();
        for g in 0..8 {
            let scale = d * f32::from(block.scale(g));
            for c in 32 * g..32 * g + 32 {
                out[c] = scale * f32::from(CODEBOOK[usize::from(codes[c])]);
            }
        }
    }
}

fn split(bytes: &[u8], out: &mut Split) {
    for block in blocks::<Block>(bytes) {
        out.d = block.d.bits();
        out.codes = block.codes();
        for g in 0..8 {
            out.sub[g] = block.scale(g);
        }
    }
}
