//! The probability of each label as a model's answer, from logits.
//!
//! The labels' tokens make a tree. At each branch only the labels' next tokens count, so that what follows without
//! alternative costs nothing: long labels are not put at a disadvantage and labels that differ in their first token
//! need no run of the model at all. A label that others extend gets at its end all the probability that does
//! not go on with one of them.

use crate::Result;
use crate::generate::log_sum_exp;

/// Log-probabilities of labels given as token ids, none of them empty; together they are a distribution. `after`
/// gives the logits that follow the given ids.
pub(super) fn score(labels: &[Vec<u32>], after: &mut dyn FnMut(&[u32]) -> Result<Vec<f32>>) -> Result<Vec<f64>> {
    let mut scores = vec![0.0; labels.len()];
    let mut groups: Vec<(usize, Vec<usize>)> = vec![(0, (0..labels.len()).collect())];
    while let Some((depth, members)) = groups.pop() {
        let [first, _, ..] = members.as_slice() else { continue };
        let next = |&label: &usize| labels[label].get(depth).copied();
        let mut branches: Vec<(Option<u32>, Vec<usize>)> = Vec::new();
        for member in &members {
            match branches.iter_mut().find(|(id, _)| *id == next(member)) {
                Some((_, branch)) => branch.push(*member),
                None => branches.push((next(member), vec![*member])),
            }
        }
        if let [(id, branch)] = branches.as_slice() {
            match id {
                Some(_) => groups.push((depth + 1, branch.clone())),
                // The same ids for several labels: each gets its share.
                None => branch.iter().for_each(|&label| scores[label] -= (branch.len() as f64).ln()),
            }
            continue;
        }
        let logits = after(&labels[*first][..depth])?;
        let goes_on: Vec<u32> = branches.iter().filter_map(|(id, _)| *id).collect();
        let weight = |id: Option<u32>| {
            if let Some(id) = id {
                logits.get(id as usize).map_or(f64::NEG_INFINITY, |&l| f64::from(l))
            } else {
                let mut others = logits.clone();
                for &id in &goes_on {
                    if let Some(logit) = others.get_mut(id as usize) {
                        *logit = f32::NEG_INFINITY;
                    }
                }
                log_sum_exp(&others)
            }
        };
        let weights: Vec<f64> = branches.iter().map(|(id, _)| weight(*id)).collect();
        for ((id, branch), log_p) in branches.into_iter().zip(log_softmax(&weights)) {
            branch.iter().for_each(|&label| scores[label] += log_p);
            match id {
                Some(_) => groups.push((depth + 1, branch)),
                None => branch.iter().for_each(|&label| scores[label] -= (branch.len() as f64).ln()),
            }
        }
    }
    Ok(scores)
}

/// `x - ln(sum(exp(x)))`; uniform where nothing is finite.
pub(super) fn log_softmax(weights: &[f64]) -> Vec<f64> {
    let max = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !max.is_finite() {
        return vec![-(weights.len() as f64).ln(); weights.len()];
    }
    let sum: f64 = weights.iter().map(|w| (w - max).exp()).sum();
    weights.iter().map(|w| w - max - sum.ln()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn sum(scores: &[f64]) -> f64 {
        scores.iter().map(|s| s.exp()).sum()
    }

    #[test]
    fn first_tokens_decide_without_a_further_run() {
        let mut asked = Vec::new();
        let labels = [vec![1, 5, 5, 5], vec![2]];
        let scores = score(&labels, &mut |ids| {
            asked.push(ids.to_vec());
            Ok(vec![9.0, 3.0, 2.0, 0.0, 0.0, -9.0])
        })
        .unwrap();
        assert_eq!(asked, [Vec::<u32>::new()]);
        let p = 1.0 / (1.0 + (-1.0_f64).exp());
        assert!((scores[0].exp() - p).abs() < 1e-12 && (sum(&scores) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn shared_beginnings_branch_later_and_ends_count() {
        // "a" (1), "a b" (1 2), "a c" (1 3), "d" (0).
        let labels = [vec![1], vec![1, 2], vec![1, 3], vec![0]];
        let scores = score(&labels, &mut |ids| {
            Ok(match ids {
                [] => vec![0.0, 0.0, f32::NEG_INFINITY, f32::NEG_INFINITY],
                [1] => vec![0.0, 0.0, 2.0_f32.ln(), f32::NEG_INFINITY],
                _ => unreachable!(),
            })
        })
        .unwrap();
        let p: Vec<f64> = scores.iter().map(|s| s.exp()).collect();
        for (found, want) in p.iter().zip([0.25, 0.25, 0.0, 0.5]) {
            assert!((found - want).abs() < 1e-6, "{p:?}");
        }
    }

    #[test]
    fn one_label_is_certain_and_equal_ids_share() {
        assert_eq!(score(&[vec![3]], &mut |_| unreachable!()).unwrap(), [0.0]);
        let scores = score(&[vec![3], vec![3]], &mut |_| unreachable!()).unwrap();
        assert!((scores[0].exp() - 0.5).abs() < 1e-12 && (sum(&scores) - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one(
            labels in prop::collection::vec(prop::collection::vec(0_u32..4, 1..5), 1..7),
            seed in prop::collection::vec(-20_f32..20.0, 8),
        ) {
            let scores = score(&labels, &mut |ids| {
                Ok((0..8).map(|i| seed[(i + ids.len() * 3 + ids.iter().sum::<u32>() as usize) % 8]).collect())
            }).unwrap();
            prop_assert!((sum(&scores) - 1.0).abs() < 1e-9, "{scores:?}");
        }
    }
}
