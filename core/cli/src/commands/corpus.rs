//! `kinglet devices --corpus`: which known bugs of drivers a GPU has.

use super::devices::Shown;
use crate::app::{App, Outcome, Ran};
use crate::failure::Failure;
use crate::output;
use kinglet::backend::gpu::{self, Tried};
use serde::Serialize;

/// What `--corpus` found.
#[derive(Serialize)]
struct Verdict<'a> {
    device: Shown<'a>,
    corpus: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    outcome: &'static str,
    why: Option<String>,
    what: &'a str,
    sources: &'a [String],
}

impl<'a> From<&'a Tried> for Entry<'a> {
    fn from(tried: &'a Tried) -> Self {
        let Tried { name, what, sources, outcome } = tried;
        Self { name, outcome: outcome.name(), why: outcome.why(), what, sources }
    }
}

/// Tries the corpus, and shows each entry as soon as it has run: the driver may end the process in the next.
pub fn run(app: &App, adapter: Option<&str>) -> Ran {
    let mut shown = Ok(());
    let corpus = gpu::corpus(adapter, &mut |tried| {
        if !app.json && shown.is_ok() {
            shown = show(tried);
        }
    })?;
    shown?;
    let answer = Verdict { device: (&corpus.adapter).into(), corpus: corpus.tried.iter().map(Entry::from).collect() };
    if app.json {
        output::json(&answer)?;
        return Ok(Outcome::Done);
    }
    let counts = ["passed", "failed", "refused", "lost", "skipped"].map(|name| {
        let count = answer.corpus.iter().filter(|entry| entry.outcome == name).count();
        (count > 0 || name == "passed").then(|| format!("{count} {name}"))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let Shown { name, driver, .. } = answer.device;
    output::line(&format!("{name} ({driver}): {}", counts.join(", ")))?;
    Ok(Outcome::Done)
}

/// An entry's line, and where it did not pass or did not run, why.
fn show(tried: &Tried) -> Result<(), Failure> {
    let outcome = &tried.outcome;
    let Some(why) = outcome.why() else { return output::line(&format!("{:20} {}", tried.name, outcome.name())) };
    // What a driver says may have several lines.
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    output::line(&format!("{:20} {}: {why}", tried.name, outcome.name()))?;
    if outcome.name() == "skipped" {
        return Ok(());
    }
    output::line(&format!("{:20} {}", "", tried.what))?;
    tried.sources.iter().try_for_each(|source| output::line(&format!("{:20} {source}", "")))
}
