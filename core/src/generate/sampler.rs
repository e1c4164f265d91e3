//! Chooses a token from logits.
//!
//! Portable on purpose: the generator is PCG32, sums and exponentials are f64 with `libm`'s pure Rust `exp`, and the
//! order of additions depends on the logits only. Nothing is allocated for a token.

use super::{Sampling, argmax, filters};
use crate::{Error, Result};
use rand_core::Rng;
use rand_pcg::Pcg32;

/// One answer's sampler: the options, the generator's state, the answer's last ids.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    rng: Pcg32,
    /// The last ids of the answer, at most `window`; oldest first from `next` on, once that many came.
    recent: Vec<u32>,
    window: usize,
    next: usize,
    /// `recent`, sorted.
    sorted: Vec<u32>,
    candidates: Vec<filters::Candidate>,
}

/// Ids that room is made for at once: a window may be as large as a caller likes, most answers are short.
const RESERVED: usize = 4096;
/// PCG's default stream; a seed is a state in it.
const STREAM: u64 = 0x0a02_bdbf_7bb3_c0a7;

impl Sampler {
    /// A sampler for a vocabulary of `vocab` tokens; [`Error::Option`] where an option makes no sense.
    pub fn new(sampling: &Sampling, vocab: usize) -> Result<Self> {
        sampling.validate(vocab)?;
        let window = if sampling.penalises() { sampling.penalty_window.min(sampling.max_tokens) } else { 0 };
        let candidates = if sampling.temperature == 0.0 { 0 } else { filters::room(sampling.top_k, vocab) };
        Ok(Self {
            sampling: sampling.clone(),
            rng: Pcg32::new(sampling.seed, STREAM),
            recent: Vec::with_capacity(window.min(RESERVED)),
            window,
            next: 0,
            sorted: Vec::with_capacity(window.min(RESERVED)),
            candidates: Vec::with_capacity(candidates),
        })
    }

    /// Chooses an id. `logits`, one a token of the vocabulary, are changed on the way.
    ///
    /// NaN counts as `-inf`, which is never chosen; [`Error::Constraint`] where nothing else is left.
    pub fn sample(&mut self, logits: &mut [f32]) -> Result<u32> {
        self.adjust(logits);
        let none = || Error::Constraint("no token may come next".into());
        if self.sampling.temperature == 0.0 {
            return argmax(logits).ok_or_else(none);
        }
        filters::top_k(logits, self.sampling.top_k, &mut self.candidates);
        filters::weigh(&mut self.candidates, self.sampling.temperature);
        filters::top_p(&mut self.candidates, self.sampling.top_p);
        filters::min_p(&mut self.candidates, self.sampling.min_p);
        let at = self.uniform();
        filters::draw(&self.candidates, at).ok_or_else(none)
    }

    /// Takes note of an id of the answer, for the penalties.
    pub fn accept(&mut self, id: u32) {
        if self.recent.len() < self.window {
            self.recent.push(id);
        } else if let Some(oldest) = self.recent.get_mut(self.next) {
            *oldest = id;
            self.next = (self.next + 1) % self.window;
        }
    }

    /// What an id is chosen from: logit bias, then penalties.
    pub fn adjust(&mut self, logits: &mut [f32]) {
        for &(id, bias) in &self.sampling.logit_bias {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit += bias;
            }
        }
        let s = &self.sampling;
        self.sorted.clear();
        self.sorted.extend_from_slice(&self.recent);
        self.sorted.sort_unstable();
        for run in self.sorted.chunk_by(|a, b| a == b) {
            let Some(logit) = run.first().and_then(|&id| logits.get_mut(id as usize)) else { continue };
            *logit = if *logit > 0.0 { *logit / s.repetition_penalty } else { *logit * s.repetition_penalty };
            *logit -= s.presence_penalty + s.frequency_penalty * run.len() as f32;
        }
    }

    /// Evenly from [0, 1), 53 bits.
    fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }
}
