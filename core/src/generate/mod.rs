//! From logits to a token, and when to stop. Knows logits, ids and finished text; nothing of models, devices or
//! tokenizers.

mod constraint;
mod filters;
mod sampler;
mod sampling;
mod stop;
#[cfg(test)]
mod tests;

pub use constraint::Constraint;
pub use sampler::Sampler;
pub use sampling::Sampling;
pub use stop::{StopReason, StopStrings};

/// The id of the largest logit, the lowest such id on a tie; NaN counts as the smallest. `None` where all are
/// `-inf` or NaN.
pub fn argmax(logits: &[f32]) -> Option<u32> {
    const LANES: usize = 16;
    let (mut best, mut at) = (f32::NEG_INFINITY, None);
    for (part, logits) in logits.chunks(16 * LANES).enumerate() {
        // Few parts have a new best, and finding that out takes no branch a logit.
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let (whole, rest) = logits.as_chunks::<LANES>();
        for logits in whole {
            for (lane, logit) in lanes.iter_mut().zip(logits) {
                *lane = if logit > lane { *logit } else { *lane };
            }
        }
        if lanes.iter().chain(rest).any(|logit| *logit > best) {
            for (i, &logit) in logits.iter().enumerate() {
                if logit > best {
                    (best, at) = (logit, Some((part * 16 * LANES + i) as u32));
                }
            }
        }
    }
    at
}

/// `ln(sum(exp(logits)))`, in f64: what turns a logit into a log-probability. `-inf` for no logits.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if max == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let max = f64::from(max);
    max + libm::log(logits.iter().map(|&l| libm::exp(f64::from(l) - max)).sum::<f64>())
}
