//! The filters, one function each, over candidates that are sorted only as far as a filter needs.

use std::cmp::Ordering;

/// A token that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub id: u32,
    pub logit: f32,
    /// In proportion to its probability; 1 for the largest logit.
    pub weight: f64,
}

/// Larger logits first, lower ids first among equals: one order, whatever the sort.
fn order(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id))
}

/// Candidates that [`top_k`] holds at most.
pub fn room(k: usize, vocab: usize) -> usize {
    if k == 0 || k >= vocab { vocab } else { k.saturating_mul(4).clamp(256, vocab.max(256)) }
}

/// The `k` largest logits in falling order, or all but `-inf` and NaN in the order of ids where `k` is 0.
///
/// One pass with a threshold: candidates below the best `k` so far are not even written down, so that a vocabulary of
/// 262,144 is neither sorted nor copied.
pub fn top_k(logits: &[f32], k: usize, candidates: &mut Vec<Candidate>) {
    candidates.clear();
    let all = k == 0 || k >= logits.len();
    let room = room(k, logits.len());
    let mut threshold = f32::NEG_INFINITY;
    for (id, &logit) in logits.iter().enumerate() {
        // On a tie with the threshold the earlier id is already in.
        if logit > threshold {
            candidates.push(Candidate { id: id as u32, logit, weight: 0.0 });
            if !all && candidates.len() == room {
                candidates.select_nth_unstable_by(k - 1, order);
                candidates.truncate(k);
                threshold = candidates.last().map_or(threshold, |c| c.logit);
            }
        }
    }
    if k > 0 {
        candidates.sort_unstable_by(order);
        candidates.truncate(k);
    }
}

/// Temperature: gives every candidate the weight `exp((logit - largest) / temperature)`.
pub fn weigh(candidates: &mut [Candidate], temperature: f32) {
    let max = candidates.iter().map(|c| c.logit).fold(f32::NEG_INFINITY, f32::max);
    for c in candidates {
        c.weight = libm::exp((f64::from(c.logit) - f64::from(max)) / f64::from(temperature));
    }
}

/// Keeps the fewest of the heaviest candidates whose weights reach the part `p` of all; at least one.
pub fn top_p(candidates: &mut Vec<Candidate>, p: f32) {
    if p >= 1.0 {
        return;
    }
    let goal = f64::from(p) * candidates.iter().map(|c| c.weight).sum::<f64>();
    let (mut sum, mut sorted, mut step) = (0.0, 0, 64);
    while sorted < candidates.len() {
        // The next few in order; seldom are more than the first few needed.
        let rest = &mut candidates[sorted..];
        let part =
            if step < rest.len() { rest.select_nth_unstable_by(step - 1, order).0.len() + 1 } else { rest.len() };
        rest[..part].sort_unstable_by(order);
        for (i, candidate) in rest[..part].iter().enumerate() {
            sum += candidate.weight;
            if sum >= goal {
                candidates.truncate(sorted + i + 1);
                return;
            }
        }
        sorted += part;
        step *= 4;
    }
}

/// Keeps the candidates whose weight is at least the part `p` of the largest one.
pub fn min_p(candidates: &mut Vec<Candidate>, p: f32) {
    candidates.retain(|c| c.weight >= f64::from(p));
}

/// The candidate at `at` of [0, 1) along the candidates' weights.
pub fn draw(candidates: &[Candidate], at: f64) -> Option<u32> {
    let mut left = at * candidates.iter().map(|c| c.weight).sum::<f64>();
    for c in candidates {
        left -= c.weight;
        if left < 0.0 {
            return Some(c.id);
        }
    }
    // Rounding can leave a trace behind the last one.
    candidates.iter().rev().find(|c| c.weight > 0.0).map(|c| c.id)
}
