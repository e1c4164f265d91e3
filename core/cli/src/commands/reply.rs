//! `kinglet reply`: three short answers to choose from.

use super::texts::{Outcomes, TextArgs};
use crate::app::{App, Ran};
use crate::output;
use clap::Args;
use kinglet::text::{self, ReplyOptions};
use kinglet::{Sampling, Stats};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Reply {
    #[command(flatten)]
    texts: TextArgs,
}

const HELP: &str = "\
The text is the message to answer; one suggestion a line.
With --json: `suggestions`, `stop` and `stats`; several files give `results`.

Examples:
  echo 'Are we still on for lunch?' | kinglet reply --model smollm2
  kinglet reply --model smollm2 --seed 7 --json message.txt";

impl Outcomes for text::Reply {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Reply {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let options = ReplyOptions { sampling: self.texts.sampling.over(Sampling::varied) };
        self.texts.each(app, |session, text, cancel| {
            let found = text::reply(session, text, &options, cancel)?;
            if !app.json {
                found.suggestions.iter().try_for_each(|suggestion| output::line(suggestion))?;
            }
            Ok(found)
        })
    }
}
