//! The options of a generation.

use crate::backend::Best;
use crate::{Error, Result};

/// How tokens are chosen, and when to stop.
///
/// The filters work in this order, which is that of Hugging Face's `generate`, so that settings found there mean the
/// same here: constraint and logit bias, penalties, temperature, top-k, top-p, min-p. The first three change logits.
/// Top-k comes next because it is cheap and needs no probabilities; top-p and min-p look at the probabilities after
/// temperature, of the tokens that are left.
///
/// The defaults suit instruct models of 100 million to 1 billion parameters, which wander at the temperatures that
/// large models are run with: a low temperature, mild filters, no penalties (they break names and lists that have to
/// repeat).
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 takes the largest one always (greedy). Default 0.3.
    pub temperature: f32,
    /// Keeps the `k` largest; 0 keeps all. Default 40.
    pub top_k: usize,
    /// Keeps the fewest of the most probable that reach this sum; 1 keeps all (arXiv 1904.09751). Default 0.95.
    pub top_p: f32,
    /// Keeps those with at least this part of the largest probability; 0 keeps all (arXiv 2407.01082). Default 0.05.
    pub min_p: f32,
    /// Divides a positive and multiplies a negative logit of a token that the answer has; 1 does nothing
    /// (arXiv 1909.05858). Default 1.
    pub repetition_penalty: f32,
    /// Subtracted from the logit of a token that the answer has. Default 0.
    pub presence_penalty: f32,
    /// Subtracted from a token's logit for each time that the answer has it. Default 0.
    pub frequency_penalty: f32,
    /// How many of the answer's last tokens the three penalties look at. The prompt's do not count: a summary must be
    /// free to repeat the names of its text. Default 64.
    pub penalty_window: usize,
    /// Added to the logits of these ids. Default none.
    pub logit_bias: Vec<(u32, f32)>,
    /// The same seed gives the same choices from the same logits, on every platform. Default 0.
    pub seed: u64,
    /// The most tokens to generate. Default 512.
    pub max_tokens: usize,
    /// The text ends before the first of these; none of it is given out. Default none.
    pub stop: Vec<String>,
    /// The fewest tokens to generate: before them no id that ends a text may be chosen, though a stop string, a full
    /// context or a constraint may end it. Default 0.
    pub min_tokens: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.3,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            penalty_window: 64,
            logit_bias: Vec::new(),
            seed: 0,
            max_tokens: 512,
            stop: Vec::new(),
            min_tokens: 0,
        }
    }
}

impl Sampling {
    /// Which of the greatest logits can be chosen from; `None` where it can be any.
    pub fn reach(&self) -> Option<Best> {
        let raises = self.repetition_penalty < 1.0 || self.presence_penalty < 0.0 || self.frequency_penalty < 0.0;
        let count = if self.temperature == 0.0 { 1 } else { self.top_k };
        if raises || !self.logit_bias.is_empty() || count == 0 {
            return None;
        }
        let less = self.presence_penalty + self.frequency_penalty * self.penalty_window.min(self.max_tokens) as f32;
        Some(Best { count, penalty: self.repetition_penalty, less })
    }

    /// Always the most probable token.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// For tasks that stay close to their text: greedy, since a temperature makes small models change numbers and names,
    /// with a repetition penalty of 1.05, since they run into loops; no limit of tokens but the task's.
    pub fn faithful() -> Self {
        Self { repetition_penalty: 1.05, max_tokens: usize::MAX, ..Self::greedy() }
    }

    /// For suggestions that are to differ from each other.
    pub fn varied() -> Self {
        Self { temperature: 0.8, top_p: 0.9, repetition_penalty: 1.1, ..Self::default() }
    }

    /// The same with another limit of tokens.
    #[must_use]
    pub fn max_tokens(self, max_tokens: usize) -> Self {
        Self { max_tokens, ..self }
    }

    /// Whether a token of the answer changes the logits of later ones.
    pub(super) fn penalises(&self) -> bool {
        let off = self.repetition_penalty == 1.0 && self.presence_penalty == 0.0 && self.frequency_penalty == 0.0;
        !off
    }

    /// Whether the options make sense for a vocabulary; [`Error::Option`] names the first that does not.
    pub fn validate(&self, vocab: usize) -> Result<()> {
        let check = |ok: bool, name: &str, value: f32, what: &str| {
            if ok { Ok(()) } else { Err(Error::Option { name: name.into(), what: format!("is {value}; {what}") }) }
        };
        let share = "give a number from 0 to 1";
        let (t, p) = (self.temperature, self.repetition_penalty);
        check(t.is_finite() && t >= 0.0, "temperature", t, "give 0 (greedy) or a positive number")?;
        check(self.top_p > 0.0 && self.top_p <= 1.0, "top_p", self.top_p, "give a number above 0, at most 1")?;
        check((0.0..=1.0).contains(&self.min_p), "min_p", self.min_p, share)?;
        check(p.is_finite() && p > 0.0, "repetition_penalty", p, "give a positive number; 1 does nothing")?;
        check(self.presence_penalty.is_finite(), "presence_penalty", self.presence_penalty, "give a finite number")?;
        check(self.frequency_penalty.is_finite(), "frequency_penalty", self.frequency_penalty, "give a finite number")?;
        for &(id, bias) in &self.logit_bias {
            check(!bias.is_nan() && bias < f32::INFINITY, "logit_bias", bias, "give a number below infinity")?;
            if id as usize >= vocab {
                return Err(Error::TokenId { id, vocab });
            }
        }
        if self.stop.iter().any(String::is_empty) {
            return Err(Error::Option {
                name: "stop".into(),
                what: "an empty stop string stops everything; leave it out".into(),
            });
        }
        if self.max_tokens == 0 {
            return Err(Error::Option { name: "max_tokens".into(), what: "is 0; give at least 1".into() });
        }
        Ok(())
    }
}
