//! Products with weights that are stored as plain floats, row by row as they lie in the file.

use super::rows::dot;
use super::simd::{Kernel, Simd};
use crate::quant::Format;

/// Columns that are widened at a time.
const STRIP: usize = 256;

/// Products of `rows.len()` weight rows with rows of activations.
pub struct Floats<'a> {
    /// How weights are stored.
    pub format: &'static Format,
    /// Weight rows, one after the other.
    pub bytes: &'a [u8],
    /// Columns.
    pub cols: usize,
    /// Activations, `[rows][cols]`.
    pub x: &'a [f32],
    /// `[rows][sums.len() / rows]`: receives the products.
    pub sums: &'a mut [[f32; super::matmul::UNIT]],
}

impl Kernel for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let row_bytes = self.cols / self.format.weights * self.format.bytes;
        let strip_bytes = STRIP / self.format.weights * self.format.bytes;
        let mut strip = [0.0f32; STRIP];
        self.sums.fill([0.0; super::matmul::UNIT]);
        for (r, row) in self.bytes.chunks_exact(row_bytes).enumerate().take(super::matmul::UNIT) {
            for (s, bytes) in row.chunks(strip_bytes).enumerate() {
                let from = s * STRIP;
                let strip = &mut strip[..STRIP.min(self.cols - from)];
                (self.format.dequantise)(bytes, strip);
                for (x, sums) in self.x.chunks_exact(self.cols).zip(self.sums.iter_mut()) {
                    sums[r] += dot(&x[from..from + strip.len()], strip);
                }
            }
        }
    }
}
