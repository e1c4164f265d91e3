//! Rotary position embedding (arXiv 2104.09864): pairs of a head's columns turn by an angle that grows with the position.

use super::WeightId;

/// Which columns of a head form a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// `2i` with `2i + 1` (GGUF files of the llama architecture are permuted for this).
    Adjacent,
    /// `i` with `i + dims / 2`.
    Halves,
}

/// Rotates each head of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// Floats in a head.
    pub head_dim: usize,
    /// Columns of a head that turn, from the first; even, at most `head_dim`.
    pub dims: usize,
    /// Pair `i` turns by `base^(-2i/dims)` a position.
    pub base: f32,
    /// Positions are multiplied by this (linear scaling: 1/factor).
    pub scale: f32,
    /// Which columns form a pair.
    pub pairing: Pairing,
    /// `[dims / 2]`: each pair's angle is divided by its factor (Llama 3's scaling).
    pub factors: Option<WeightId>,
}

impl Rope {
    /// Angles a position of the pairs, in radians.
    pub fn frequencies(&self, factors: Option<&[f32]>) -> Vec<f32> {
        (0..self.dims / 2)
            .map(|i| {
                let turn = f64::from(self.base).powf(-2.0 * i as f64 / self.dims as f64);
                let factor = factors.map_or(1.0, |f| f64::from(f[i]));
                (turn * f64::from(self.scale) / factor) as f32
            })
            .collect()
    }

    /// Columns of pair `i`.
    pub fn pair(&self, i: usize) -> (usize, usize) {
        match self.pairing {
            Pairing::Adjacent => (2 * i, 2 * i + 1),
            Pairing::Halves => (i, i + self.dims / 2),
        }
    }

    /// One row `[heads * head_dim]` at `position`.
    pub fn reference(&self, frequencies: &[f32], position: usize, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
        for head in out.chunks_exact_mut(self.head_dim) {
            for (i, frequency) in frequencies.iter().enumerate() {
                let (sin, cos) = angle(*frequency, position);
                let (a, b) = self.pair(i);
                let (x, y) = (head[a], head[b]);
                head[a] = x * cos - y * sin;
                head[b] = x * sin + y * cos;
            }
        }
    }
}

/// Sine and cosine of a pair's angle at a position; in f64, since an f32 product is off by whole milliradians at long contexts.
pub fn angle(frequency: f32, position: usize) -> (f32, f32) {
    let (sin, cos) = (f64::from(frequency) * position as f64).sin_cos();
    (sin as f32, cos as f32)
}
