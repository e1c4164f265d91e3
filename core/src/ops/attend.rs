//! Scaled dot-product attention with grouped heads (arXiv 2305.13245) and an optional sliding window.

use super::{SlotId, dot, softcap::softcap};

/// Queries over a slot's keys and values.
#[derive(Clone, Debug, PartialEq)]
pub struct Attend {
    /// The layer's cache.
    pub slot: SlotId,
    /// Query heads; a multiple of the slot's key/value heads.
    pub heads: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// Cap of the scores, where the family has one.
    pub softcap: Option<f32>,
}

impl Attend {
    /// One query head `q` `[head_dim]` over `keys` and `values`, `[positions][head_dim]`, of the positions it may see.
    pub fn reference<'a>(
        &self,
        q: &[f32],
        keys: impl Iterator<Item = &'a [f32]>,
        values: impl Iterator<Item = &'a [f32]>,
        out: &mut [f32],
    ) {
        let mut scores: Vec<f32> = keys
            .map(|k| {
                let score = dot(q, k) * self.scale;
                self.softcap.map_or(score, |cap| softcap(score, cap))
            })
            .collect();
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for s in &mut scores {
            *s = (*s - max).exp();
            sum += *s;
        }
        out.fill(0.0);
        for (s, v) in scores.iter().zip(values) {
            for (out, v) in out.iter_mut().zip(v) {
                *out += s / sum * v;
            }
        }
    }
}
