//! `kinglet rewrite`: a text in another tone, or proofread.

use super::texts::{Outcomes, TextArgs, follow};
use crate::app::{App, Ran};
use clap::Args;
use kinglet::Stats;
use kinglet::text::{self, Rewritten, Tone};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Rewrite {
    /// How it should sound: friendly, formal, shorter, proofread (corrects mistakes only), or your own words
    #[arg(long, value_name = "TONE", default_value = "friendly")]
    tone: String,

    /// The same as --tone proofread
    #[arg(long, conflicts_with = "tone")]
    proofread: bool,

    #[command(flatten)]
    texts: TextArgs,
}

const HELP: &str = "\
With --json: `text`, `parts` (how many the text was split into), `stop` and `stats`; several files give `results`.

Examples:
  kinglet rewrite --model smollm2 --tone formal mail.txt
  echo 'i has two dog' | kinglet rewrite --model smollm2 --proofread";

impl Outcomes for Rewritten {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Rewrite {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let tone = if self.proofread { Tone::Proofread } else { self.tone.parse()? };
        let sampling = self.texts.sampling.over(|| tone.sampling());
        let options = text::Rewrite { tone, sampling };
        self.texts.each(app, |session, text, cancel| follow(app, text::rewrite(session, text, &options, cancel)?))
    }
}
