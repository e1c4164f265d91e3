//! `kinglet classify`: which of some labels fits a text.

use super::texts::{Outcomes, TextArgs};
use crate::app::{App, Ran};
use crate::output;
use clap::Args;
use kinglet::Stats;
use kinglet::text::{self, Classification, Classifier};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Classify {
    /// What the answer may be: words or short phrases that say what they mean
    #[arg(long, required = true, value_name = "LABEL,LABEL…", value_delimiter = ',')]
    labels: Vec<String>,

    /// Take the model's own odds, without subtracting what it would say of no text in particular
    #[arg(long)]
    no_calibration: bool,

    #[command(flatten)]
    texts: TextArgs,
}

const HELP: &str = "\
The answer is always one of the labels. The probabilities are the model's, of the labels only, and sum to 1.
Nothing is sampled, so the sampling options have no effect.
With --json: `label`, `probabilities` {label: probability} and `stats`; several files give `results`.

Examples:
  kinglet classify --model smollm2 --labels work,private,spam mail.txt
  echo 'I love it!' | kinglet classify --model smollm2 --labels positive,negative --json";

impl Outcomes for Classification {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Classify {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let labels = self.labels.iter().map(|label| label.trim());
        let options = text::Classify { calibrate: !self.no_calibration, ..text::Classify::new(labels) };
        let mut classifier = None;
        self.texts.each(app, |session, text, cancel| {
            let classifier = match &mut classifier {
                Some(classifier) => classifier,
                empty => empty.insert(Classifier::new(session, &options)?),
            };
            let found = classifier.classify(session, text, cancel)?;
            if !app.json {
                output::line(found.label.as_deref().unwrap_or("(the text is empty)"))?;
                for (label, probability) in found.probabilities.iter() {
                    output::line(&format!("  {:>5.1} %  {label}", 100.0 * probability))?;
                }
            }
            Ok(found)
        })
    }
}
