//! `kinglet logits`: what the model says after chosen positions.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::ids::{IdSource, Ids};
use crate::{numbers, output};
use clap::Args;
use kinglet::backend::{Cancel, Want};
use kinglet::engine::Session;
use kinglet::generate::log_sum_exp;
use kinglet::tokenizer::Tokenizer;
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows of logits computed at once take at most this much.
const BYTES_AT_ONCE: usize = 64 << 20;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Logits {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    ids: IdSource,

    /// How many of the best ids to show
    #[arg(long, value_name = "K", default_value_t = 10)]
    top: usize,

    /// Ids whose logits to show, whatever their rank
    #[arg(long, value_name = "ID,ID…", default_value = "", hide_default_value = true)]
    at: Ids,

    /// Positions to show the logits after, counted from 0, in any order; by default the last
    #[arg(long, value_name = "P,P…")]
    positions: Option<Ids>,
}

const HELP: &str = "\
The ids are fed as they are, from position 0. The row of position P holds the logits after the ids 0..=P: what the model \
expects at P+1. `logsumexp` is ln(sum(exp(logits))) over the whole vocabulary, so exp(logit - logsumexp) is a probability.
With --json: `rows`, one for each position in the order asked: `position`, `top` [[id, logit]…], `at` {id: logit}, `logsumexp`.

Examples:
  kinglet logits --model smollm2 --ids 504,3575,282,4649,314
  kinglet logits --model smollm2 --ids-file prompt.ids --positions 0,10,20 --top 5 --at 260,314 --json";

#[derive(Clone, Serialize)]
struct Row {
    position: usize,
    top: Vec<(u32, f32)>,
    at: BTreeMap<u32, f32>,
    logsumexp: f64,
}

#[derive(Serialize)]
struct Answer<'a> {
    rows: &'a [Row],
}

impl Logits {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let ids = self.ids.read()?.unwrap_or_default();
        if ids.is_empty() {
            return Err(Failure::option("--ids", "no token ids were given; give at least one"));
        }
        let positions = self.positions(ids.len())?;

        let engine = self.model.open_for(app, ids.len())?;
        let vocab = engine.config().vocab;
        if let Some(id) = self.at.0.iter().find(|id| **id as usize >= vocab) {
            return Err(kinglet::Error::TokenId { id: *id, vocab }.into());
        }
        let cancel = app.interrupt.begin();
        let mut rows = BTreeMap::new();
        collect(&mut engine.session()?, &ids, &positions, vocab, &cancel, |position, logits| {
            rows.insert(position, self.row(position, logits));
        })?;
        let rows: Vec<_> = positions.iter().filter_map(|position| rows.get(position).cloned()).collect();

        if app.json {
            output::json(&Answer { rows: &rows })?;
        } else {
            for row in &rows {
                show(row, engine.tokenizer())?;
            }
        }
        Ok(Outcome::Done)
    }

    fn positions(&self, length: usize) -> Result<Vec<usize>, Failure> {
        let Some(asked) = &self.positions else { return Ok(vec![length - 1]) };
        let positions: Vec<_> = asked.0.iter().map(|position| *position as usize).collect();
        match positions.iter().find(|position| **position >= length) {
            Some(beyond) => {
                let last = length - 1;
                Err(Failure::option("--positions", format!("there is no position {beyond}; the last one is {last}")))
            }
            None => Ok(positions),
        }
    }

    fn row(&self, position: usize, logits: &[f32]) -> Row {
        Row {
            position,
            top: numbers::top(logits, self.top),
            at: self.at.0.iter().filter_map(|id| Some((*id, *logits.get(*id as usize)?))).collect(),
            logsumexp: log_sum_exp(logits),
        }
    }
}

fn show(row: &Row, tokenizer: &Tokenizer) -> Result<(), Failure> {
    output::line(&format!("position {}, logsumexp {:.6}", row.position, row.logsumexp))?;
    for (id, logit) in row.top.iter().copied().chain(row.at.iter().map(|(id, logit)| (*id, *logit))) {
        let percent = 100.0 * (f64::from(logit) - row.logsumexp).exp();
        let piece = tokenizer.piece_text(id);
        output::line(&format!("{id:>8}  {logit:>12.6}  {percent:>8.4} %  {piece:?}"))?;
    }
    Ok(())
}

/// Feeds `ids` to an empty session and hands out the logits after each of `positions`, once each, in rising order.
/// Only the wanted rows are computed, and no more than `BYTES_AT_ONCE` of them are held.
fn collect(
    session: &mut Session,
    ids: &[u32],
    positions: &[usize],
    vocab: usize,
    cancel: &Cancel,
    mut each: impl FnMut(usize, &[f32]),
) -> Result<(), Failure> {
    let mut wanted = positions.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let most = rows_at_once(vocab);
    let mut wanted = wanted.as_slice();
    let mut fed = 0;
    while let Some(first) = wanted.first().copied() {
        // A run of neighbours is computed together.
        let run = wanted.iter().zip(first..).take(most).take_while(|(a, b)| **a == *b).count();
        session.feed_for(&ids[fed..first], Want::Nothing, cancel)?;
        let logits = session.feed_for(&ids[first..first + run], Want::All, cancel)?;
        for (position, row) in (first..).zip(logits.chunks_exact(vocab)) {
            each(position, row);
        }
        fed = first + run;
        wanted = &wanted[run..];
    }
    Ok(())
}

/// How many rows of logits to hold at a time.
pub fn rows_at_once(vocab: usize) -> usize {
    (BYTES_AT_ONCE / (4 * vocab.max(1))).clamp(1, 128)
}
