//! Figures of rows of logits and of samples, computed in f64.

/// The `k` best ids with their logits, best first; of equal ones the lower id.
pub fn top(row: &[f32], k: usize) -> Vec<(u32, f32)> {
    let better = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let mut ranked: Vec<_> = (0..).zip(row.iter().copied()).collect();
    if 0 < k && k < ranked.len() {
        ranked.select_nth_unstable_by(k - 1, better);
    }
    ranked.truncate(k);
    ranked.sort_unstable_by(better);
    ranked
}

/// Kullback-Leibler divergence KL(p || q) in nats of the softmaxes of two rows, given each one's `log_sum_exp`.
pub fn divergence(p: &[f32], p_lse: f64, q: &[f32], q_lse: f64) -> f64 {
    p.iter()
        .zip(q)
        .map(|(p, q)| {
            let (p, q) = (f64::from(*p) - p_lse, f64::from(*q) - q_lse);
            p.exp() * (p - q)
        })
        .sum()
}

/// The middle value; the mean of the middle two; nothing of nothing.
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{divergence, median, top};
    use kinglet::generate::log_sum_exp;

    #[test]
    fn top_ranks_and_breaks_ties_by_id() {
        let row = [1.0, 3.0, 2.0, 3.0, -1.0];
        assert_eq!(top(&row, 3), [(1, 3.0), (3, 3.0), (2, 2.0)]);
        assert_eq!(top(&row, 0), []);
        assert_eq!(top(&row, 9).len(), 5);
    }

    #[test]
    fn divergence_by_hand() {
        // p = (1/2, 1/2), q = (1/4, 3/4): KL(p || q) = ln 2 / 2 + ln(2/3) / 2
        let (p, q) = ([0.0, 0.0], [0.0, 3f32.ln()]);
        let kl = divergence(&p, log_sum_exp(&p), &q, log_sum_exp(&q));
        assert!((kl - 0.5 * (2f64.ln() + (2f64 / 3.0).ln())).abs() < 1e-7, "{kl}");
        assert_eq!(divergence(&q, log_sum_exp(&q), &q, log_sum_exp(&q)), 0.0);
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
