//! F32: IEEE 754 single precision, little-endian. Not packed: kernels read it as it is.

use super::Format;

pub(super) static FORMAT: Format = Format { name: "F32", ggml_type: 0, weights: 1, bytes: 4, dequantise, packed: None };

fn dequantise(bytes: &[u8], out: &mut [f32]) {
    for (bytes, out) in bytes.as_chunks().0.iter().zip(out) {
        *out = f32::from_le_bytes(*bytes);
    }
}
