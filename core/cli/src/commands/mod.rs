//! One file a command, and what several of them need.

mod activations;
mod bench;
mod chat;
mod classify;
mod corpus;
mod detokenize;
mod devices;
mod diverge;
mod eval;
mod extract;
mod inspect;
mod logits;
mod qualify;
mod replay;
mod reply;
mod rewrite;
mod run;
mod summarize;
mod texts;
mod tokenize;

use crate::app::{App, Outcome, Ran};
use crate::failure::Failure;
use crate::output;
use clap::Subcommand;
use kinglet::tokenizer::{Special, Tokenizer};
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shorten texts, or a day of notifications
    Summarize(summarize::Summarize),
    /// Say the same in another tone, or without mistakes
    Rewrite(rewrite::Rewrite),
    /// Find named facts in a text, as JSON
    Extract(extract::Extract),
    /// Choose one of your labels for a text
    Classify(classify::Classify),
    /// Suggest three short answers to a message
    Reply(reply::Reply),
    /// Continue a prompt as it is
    Run(run::Run),
    /// Talk with the model
    Chat(chat::Chat),
    /// Text to token ids
    Tokenize(tokenize::Tokenize),
    /// Token ids to text
    Detokenize(detokenize::Detokenize),
    /// Show a file's metadata, tensors and formats, and what running it would take
    Inspect(inspect::Inspect),
    /// Show the logits after chosen positions of a row of token ids
    Logits(logits::Logits),
    /// Measure how well the model predicts a text, and how far two devices agree
    Eval(eval::Eval),
    /// Measure speed and memory
    Bench(bench::Bench),
    /// Find where two devices part, node by node
    Diverge(diverge::Diverge),
    /// Run a report's wrong node again, and say which side was wrong
    Replay(replay::Replay),
    /// Show how large a model's values become, and what may be stored in f16
    Activations(activations::Activations),
    /// List the GPUs, what they can do, and why one is not used
    Devices(devices::Devices),
}

impl Command {
    /// Does it.
    pub fn run(&self, app: &App) -> Ran {
        match self {
            Self::Summarize(command) => command.run(app),
            Self::Rewrite(command) => command.run(app),
            Self::Extract(command) => command.run(app),
            Self::Classify(command) => command.run(app),
            Self::Reply(command) => command.run(app),
            Self::Run(command) => command.run(app),
            Self::Chat(command) => command.run(app),
            Self::Tokenize(command) => command.run(app),
            Self::Detokenize(command) => command.run(app),
            Self::Inspect(command) => command.run(app),
            Self::Logits(command) => command.run(app),
            Self::Eval(command) => command.run(app),
            Self::Bench(command) => command.run(app),
            Self::Diverge(command) => command.run(app),
            Self::Replay(command) => command.run(app),
            Self::Activations(command) => command.run(app),
            Self::Devices(command) => command.run(app),
        }
    }
}

/// The ids of a text, with bos in front and special tokens parsed where that is asked for.
fn encode(tokenizer: &Tokenizer, text: &str, bos: bool, special: bool) -> Result<Vec<u32>, Failure> {
    let mut ids = Vec::new();
    if bos {
        let missing = || Failure::option("--bos", "the model has no bos token; leave it out");
        ids.push(tokenizer.bos().ok_or_else(missing)?);
    }
    ids.extend(tokenizer.encode(text, if special { Special::Parse } else { Special::Plain })?);
    Ok(ids)
}

/// One JSON object out for each line in, at once. A line that fails gives an error object in its place.
fn each_line<T: Serialize>(path: &Path, mut answer: impl FnMut(&str) -> Result<T, Failure>) -> Ran {
    let unreadable = |source| Failure::read(path, source);
    let lines: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
    };
    let mut outcome = Outcome::Done;
    for line in lines.lines() {
        match answer(&line.map_err(unreadable)?) {
            Ok(value) => output::json(&value)?,
            Err(failure) => {
                outcome = Outcome::Partly;
                output::error(failure.kind(), &failure.to_string())?;
            }
        }
    }
    Ok(outcome)
}
