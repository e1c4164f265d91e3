//! BF16: the upper half of an IEEE 754 single, little-endian. Not packed: kernels read it as it is.

use super::Format;
use half::bf16;

pub(super) static FORMAT: Format =
    Format { name: "BF16", ggml_type: 30, weights: 1, bytes: 2, dequantise, packed: None };

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (bytes, out) in bytes.as_chunks().0.iter().zip(out) {
        *out = bf16::from_le_bytes(*bytes).to_f32();
    }
}
