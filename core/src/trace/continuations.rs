//! What each device continues a text with.

use super::report::{Token, Tokens};
use crate::Result;
use crate::backend::{Cancel, Program, Want};
use crate::generate::argmax;

/// The best logits that are told of each token.
const TOP: usize = 5;

/// The greedy continuation of one device, and its best logits after each token.
fn greedy(
    program: &mut dyn Program,
    context: usize,
    ids: &[u32],
    tokens: usize,
    cancel: &Cancel,
) -> Result<(Vec<u32>, Vec<Vec<Token>>)> {
    let mut state = program.state(context)?;
    let (mut next, mut logits) = (ids.to_vec(), Vec::new());
    let (mut out, mut tops) = (Vec::new(), Vec::new());
    for _ in 0..tokens {
        program.run(state.as_mut(), &next, Want::Last, &mut logits, cancel)?;
        tops.push(top(&logits));
        let id = argmax(&logits).unwrap_or_default();
        out.push(id);
        next = vec![id];
    }
    Ok((out, tops))
}

/// Both continue `ids` with `tokens` tokens.
pub(super) fn continuations(
    a: &mut dyn Program,
    b: &mut dyn Program,
    context: usize,
    ids: &[u32],
    tokens: usize,
    cancel: &Cancel,
) -> Result<Tokens> {
    let (ids_a, tops_a) = greedy(a, context, ids, tokens, cancel)?;
    let (ids_b, tops_b) = greedy(b, context, ids, tokens, cancel)?;
    let part_at = ids_a.iter().zip(&ids_b).position(|(a, b)| a != b);
    let at = part_at.unwrap_or(tokens.saturating_sub(1));
    let best = |tops: &[Vec<Token>]| tops.get(at).cloned().unwrap_or_default();
    Ok(Tokens { part_at, top_a: best(&tops_a), top_b: best(&tops_b), a: ids_a, b: ids_b })
}

/// The best five.
fn top(logits: &[f32]) -> Vec<Token> {
    let mut all: Vec<Token> = logits.iter().zip(0..).map(|(logit, id)| Token { id, logit: *logit }).collect();
    let greater = |x: &Token, y: &Token| y.logit.total_cmp(&x.logit).then(x.id.cmp(&y.id));
    if all.len() > TOP {
        all.select_nth_unstable_by(TOP, greater);
        all.truncate(TOP);
    }
    all.sort_unstable_by(greater);
    all
}
