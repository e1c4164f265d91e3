//! Product of activations with a weight matrix, row by row of the weight.

use super::{WeightId, dot};

/// `out[t][r] = sum_k x[t][k] * weight[r][k] + bias[r]`
#[derive(Clone, Debug, PartialEq)]
pub struct Matmul {
    /// `[out, in]`
    pub weight: WeightId,
    /// `[out]`
    pub bias: Option<WeightId>,
}

impl Matmul {
    /// One weight row `[in]` against all token rows of `x` `[rows, in]`; `out` receives one value a token.
    pub fn reference(x: &[f32], weight: &[f32], bias: f32, out: &mut [f32]) {
        for (x, out) in x.chunks_exact(weight.len()).zip(out) {
            *out = dot(x, weight) + bias;
        }
    }
}
