//! Whether what a GPU says can be trusted.
//!
//! Before the first answer, an `exam` asks for every kernel of the model and for some tokens. A `ladder` replaces what
//! fails, and the outcome is kept among the `verdicts`.
//!
//! `wire` watches every answer for what broken drivers are known to make of it, at next to no cost. What it finds is a
//! doubt and no proof: a small model may honestly repeat itself. `judge` settles it with a second device.

mod exam;
mod judge;
mod ladder;
mod verdicts;
mod wire;

pub(crate) use exam::{Exam, PROMPT};
pub(crate) use judge::{Answer, judge};
pub(crate) use ladder::Climbed;
pub use ladder::Step;
pub(crate) use verdicts::Verdicts;
pub use verdicts::{Fitness, Subject, Timing, Verdict};
pub use wire::{Doubt, Sort, Wire};

use crate::precision::Activations;

/// A sampled token this many times its temperature below the best is one in 500 million: it was not sampled.
pub(crate) const UNLIKELY: f32 = 20.0;

/// How far apart two rows of logits are, relative to the size of `right`; only what both have counts. 0 where they have
/// nothing in common.
pub(crate) fn apart(row: &[f32], right: &[f32]) -> f64 {
    let both = row.iter().zip(right).filter(|(a, b)| **a != f32::NEG_INFINITY && **b != f32::NEG_INFINITY);
    let (apart, size) = both.fold((0.0, 0.0), |(apart, size), (a, b)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        (apart + (a - b) * (a - b), size + b * b)
    });
    (apart / f64::max(size, f64::MIN_POSITIVE)).sqrt()
}

/// How far apart two devices' logits may be for nothing but rounding, as [`apart`] has it.
pub(crate) fn tolerance(activations: Activations) -> f64 {
    match activations {
        Activations::Int16 | Activations::F32 => 0.01,
        Activations::Int8 => 0.1,
    }
}
