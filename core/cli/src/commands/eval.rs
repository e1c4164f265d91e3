//! `kinglet eval`: how well a model predicts a text, and how far two devices agree.

use super::logits::rows_at_once;
use crate::app::{App, Outcome, Ran};
use crate::args::{DeviceArg, ModelArgs, positive};
use crate::failure::Failure;
use crate::ids::IdSource;
use crate::{input, numbers, output, progress, stats};
use clap::Args;
use kinglet::backend::{Cancel, Want};
use kinglet::engine::{Engine, Options, Session};
use kinglet::generate::{argmax, log_sum_exp};
use serde::Serialize;
use std::path::PathBuf;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP, group = clap::ArgGroup::new("what").required(true).multiple(false).args(["text", "ids", "ids_file"]))]
pub struct Eval {
    #[command(flatten)]
    model: ModelArgs,

    /// A text file; `-` is standard input. Tokenised as plain text, with bos first where the model wants one
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,

    #[command(flatten)]
    ids: IdSource,

    /// Ids a window
    #[arg(long, value_name = "TOKENS", default_value_t = 512, value_parser = positive)]
    window: usize,

    /// A second device to compare with, position by position
    #[arg(long, value_enum, value_name = "DEVICE")]
    against: Option<DeviceArg>,
}

const HELP: &str = "\
The ids are cut into windows as they are. Each window is evaluated from position 0 in an empty session and scored from \
its second id on.
  positions  ids scored
  nll        mean negative log-likelihood of an id, in nats
  ppl        perplexity, exp(nll): among how many equally likely tokens the model hesitates. Lower is better
With --against (P: the distribution of that device, Q: of --device):
  kl_mean    mean of KL(P || Q) over all positions, in nats: 0 where both say the same
  kl_max     its largest value
  top1       fraction of the positions where both have the same best token
  against_nll, against_ppl   the figures of the other device

Examples:
  kinglet eval --model smollm2 --text article.txt
  kinglet eval --model smollm2 --text article.txt --device cpu --against reference --json";

#[derive(Default)]
struct Sums {
    positions: usize,
    nll: f64,
    against_nll: f64,
    kl: f64,
    kl_max: f64,
    same: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    positions: usize,
    nll: f64,
    ppl: f64,
    #[serde(flatten)]
    against: Option<Compared>,
    window: usize,
    ids: usize,
    device: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'a str>,
}

#[derive(Serialize)]
struct Compared {
    kl_mean: f64,
    kl_max: f64,
    top1: f64,
    against_nll: f64,
    against_ppl: f64,
    against: String,
}

impl Eval {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let text = self.text.as_deref().map(input::read).transpose()?;
        let ids = self.ids.read()?;
        // A text has no more tokens than bytes, but for bos and a space in front.
        let most = ids.as_ref().map_or(0, Vec::len).max(text.as_ref().map_or(0, |text| text.len() + 2));
        let engine = self.model.open_for(app, self.window.min(most))?;
        let ids = match (ids, text) {
            (Some(ids), _) => ids,
            (None, text) => {
                let bos = engine.tokenizer().adds_bos();
                app.note(if bos { "tokenised with bos first" } else { "tokenised without bos" });
                super::encode(engine.tokenizer(), &text.unwrap_or_default(), bos, false)?
            }
        };
        if ids.len() < 2 || self.window < 2 {
            return Err(Failure::option(
                "--ids",
                "nothing to score; give at least two ids, and a window of at least two",
            ));
        }
        let other = self.against.map(|device| self.other(app, device, engine.context())).transpose()?;
        let cancel = app.interrupt.begin();

        let mut sums = Sums::default();
        let ended = self.windows(app, &engine, other.as_ref(), &ids, &cancel, &mut sums);
        let cancelled = match ended {
            Err(kinglet::Error::Cancelled) if sums.positions > 0 => true,
            ended => {
                ended?;
                false
            }
        };

        let mean = |sum: f64| sum / sums.positions as f64;
        let answer = Answer {
            positions: sums.positions,
            nll: mean(sums.nll),
            ppl: mean(sums.nll).exp(),
            against: other.as_ref().map(|other| Compared {
                kl_mean: mean(sums.kl),
                kl_max: sums.kl_max,
                top1: mean(sums.same as f64),
                against_nll: mean(sums.against_nll),
                against_ppl: mean(sums.against_nll).exp(),
                against: stats::device(other),
            }),
            window: self.window,
            ids: ids.len(),
            device: stats::device(&engine),
            stop: cancelled.then_some("cancelled"),
        };
        if app.json {
            output::json(&answer)?;
        } else {
            show(&answer)?;
        }
        Ok(if cancelled { Outcome::Cancelled } else { Outcome::Done })
    }

    fn other(&self, app: &App, device: DeviceArg, context: usize) -> Result<Engine, Failure> {
        let options = Options { device: device.into(), context: Some(context), ..self.model.options()? };
        self.model.open_with(app, &options)
    }

    fn windows(
        &self,
        app: &App,
        engine: &Engine,
        other: Option<&Engine>,
        ids: &[u32],
        cancel: &Cancel,
        sums: &mut Sums,
    ) -> kinglet::Result<()> {
        let vocab = engine.config().vocab;
        let mut session = engine.session()?;
        let mut other = other.map(Engine::session).transpose()?;
        let bar = progress::counting(app, "evaluating");
        bar.set_length(ids.len() as u64);
        for window in ids.chunks(self.window) {
            session.reset()?;
            if let Some(other) = &mut other {
                other.reset()?;
            }
            // Each id but the last predicts the one after it.
            let mut next = window.get(1..).unwrap_or_default();
            let inputs = &window[..window.len() - 1];
            for chunk in inputs.chunks(rows_at_once(vocab)) {
                let (targets, rest) = next.split_at(chunk.len());
                next = rest;
                score(&mut session, other.as_mut(), chunk, targets, cancel, vocab, sums)?;
                bar.inc(chunk.len() as u64);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

fn score(
    session: &mut Session,
    other: Option<&mut Session>,
    chunk: &[u32],
    targets: &[u32],
    cancel: &Cancel,
    vocab: usize,
    sums: &mut Sums,
) -> kinglet::Result<()> {
    let rows = session.feed_for(chunk, Want::All, cancel)?;
    let others = other.map(|other| other.feed_for(chunk, Want::All, cancel)).transpose()?;
    let mut others = others.map(|rows| rows.chunks_exact(vocab));
    for (row, target) in rows.chunks_exact(vocab).zip(targets) {
        let id = *target as usize;
        let outside = || kinglet::Error::TokenId { id: *target, vocab };
        let lse = log_sum_exp(row);
        sums.nll += lse - f64::from(*row.get(id).ok_or_else(outside)?);
        if let Some(other) = others.as_mut().and_then(Iterator::next) {
            let other_lse = log_sum_exp(other);
            sums.against_nll += other_lse - f64::from(*other.get(id).ok_or_else(outside)?);
            let kl = numbers::divergence(other, other_lse, row, lse);
            sums.kl += kl;
            sums.kl_max = sums.kl_max.max(kl);
            sums.same += usize::from(argmax(row) == argmax(other));
        }
        sums.positions += 1;
    }
    Ok(())
}

fn show(answer: &Answer<'_>) -> Result<(), Failure> {
    output::line(&format!("device      {}", answer.device))?;
    output::line(&format!("positions   {}", answer.positions))?;
    output::line(&format!("nll         {:.6} nats a token", answer.nll))?;
    output::line(&format!("perplexity  {:.4}", answer.ppl))?;
    if let Some(against) = &answer.against {
        output::line(&format!("against     {}", against.against))?;
        output::line(&format!("nll         {:.6}, perplexity {:.4}", against.against_nll, against.against_ppl))?;
        output::line(&format!("KL          mean {:.3e}, largest {:.3e} nats", against.kl_mean, against.kl_max))?;
        output::line(&format!("same top 1  {:.2} % of positions", 100.0 * against.top1))?;
    }
    if answer.stop.is_some() {
        output::line("stopped     cancelled; the figures are of the positions so far")?;
    }
    Ok(())
}
