//! F16: IEEE 754 half precision, little-endian. Not packed: kernels read it as it is.

use super::Format;
use half::f16;

pub(super) static FORMAT: Format = Format { name: "F16", ggml_type: 1, weights: 1, bytes: 2, dequantise, packed: None };

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (bytes, out) in bytes.as_chunks().0.iter().zip(out) {
        *out = f16::from_le_bytes(*bytes).to_f32();
    }
}
