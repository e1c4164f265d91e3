//! Root-mean-square norm (arXiv 1910.07467): `x / sqrt(mean(x^2) + eps) * weight`.

use super::{WeightId, dot};

/// Norm over groups of `dim` columns: the whole row, or each head.
#[derive(Clone, Debug, PartialEq)]
pub struct RmsNorm {
    /// `[dim]`
    pub weight: WeightId,
    /// Added to the mean of squares.
    pub eps: f32,
    /// Columns normed together; divides the row.
    pub dim: usize,
}

impl RmsNorm {
    /// One row: `x`, `out` `[n * dim]`, `weight` `[dim]`.
    pub fn reference(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        for (x, out) in x.chunks_exact(self.dim).zip(out.chunks_exact_mut(self.dim)) {
            let mean = dot(x, x) / self.dim as f32;
            let scale = 1.0 / (mean + self.eps).sqrt();
            for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
                *out = x * scale * w;
            }
        }
    }
}
