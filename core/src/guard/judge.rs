//! Settles a doubt: the same tokens on a device that is trusted.

use super::{apart, tolerance};
use crate::Result;
use crate::backend::{Cancel, Program, Want};
use crate::precision::Activations;

/// What a doubted device said.
pub(crate) struct Answer<'a> {
    /// What came before the answer, from the session's beginning on.
    pub before: &'a [u32],
    /// The answer so far; at least one id.
    pub ids: &'a [u32],
    /// The device's logits for the last id.
    pub logits: &'a [f32],
    /// How both devices take activations.
    pub activations: Activations,
    /// How far the sampling may go below the best logit.
    pub slack: f32,
}

/// Rows of logits that are held at a time: a large vocabulary takes a megabyte each.
const ROWS: usize = 8;

/// Says what is wrong with the answer, or nothing where the witness says the same but for rounding.
///
/// `adjust` makes of the logits for the answer's next id what it was chosen from, and takes note of that id.
pub(crate) fn judge(
    witness: &mut dyn Program,
    answer: &Answer<'_>,
    adjust: &mut dyn FnMut(&mut Vec<f32>, u32) -> Result<()>,
    cancel: &Cancel,
) -> Result<Option<String>> {
    let Answer { before, ids, logits, activations, slack } = *answer;
    let slack = slack + rounding(activations);
    let (Some((&first, rest)), Some((_, fed))) = (before.split_last(), ids.split_last()) else { return Ok(None) };
    let mut state = witness.state(before.len() + ids.len())?;
    let mut rows = Vec::new();
    if !rest.is_empty() {
        witness.run(state.as_mut(), rest, Want::Nothing, &mut rows, cancel)?;
    }
    let inputs: Vec<u32> = std::iter::once(first).chain(fed.iter().copied()).collect();
    let mut row = Vec::new();
    for (chunk, chosen) in inputs.chunks(ROWS).zip(ids.chunks(ROWS)) {
        witness.run(state.as_mut(), chunk, Want::All, &mut rows, cancel)?;
        let vocab = (rows.len() / chunk.len()).max(1);
        for (right, &id) in rows.chunks(vocab).zip(chosen) {
            row.clear();
            row.extend_from_slice(right);
            adjust(&mut row, id)?;
            let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let regret = best - row.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY);
            if regret.is_nan() || regret > slack {
                return Ok(Some(format!("it chose token {id}, which is behind the best by {regret:.1}")));
            }
        }
    }
    let vocab = logits.len().min(rows.len());
    let off = apart(logits, &rows[rows.len() - vocab..]);
    let wrong = off.is_nan() || off > tolerance(activations);
    Ok(wrong.then(|| format!("its logits are off by {off:.1e} of their size")))
}

/// How far behind the best a greedy choice may be for nothing but rounding, in units of logits.
pub(super) fn rounding(activations: Activations) -> f32 {
    match activations {
        Activations::Int16 | Activations::F32 => 0.25,
        Activations::Int8 => 1.5,
    }
}
