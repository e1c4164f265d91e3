//! `kinglet extract`: named fields from a text.

use super::texts::{Outcomes, TextArgs};
use crate::app::{App, Ran};
use crate::failure::Failure;
use crate::output;
use clap::Args;
use kinglet::Stats;
use kinglet::text::{self, Extraction};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Extract {
    /// What to look for: names that say what they mean
    #[arg(long, required = true, value_name = "FIELD,FIELD…", value_delimiter = ',')]
    fields: Vec<String>,

    /// Let the model put values in its own words; else a value stands in the text, letter by letter
    #[arg(long)]
    free: bool,

    #[command(flatten)]
    texts: TextArgs,
}

const HELP: &str = "\
Prints a JSON object of the fields; null stands for what the text does not say. The answer is always valid JSON. --max-tokens \
limits each value; the other sampling options have no effect, since the most probable value is taken.
With --json: `fields` {field: value}, `parts`, `stop` and `stats`; several files give `results`.

Examples:
  kinglet extract --model smollm2 --fields name,date,place mail.txt
  echo 'Lunch with Ana at noon' | kinglet extract --model smollm2 --fields person,time --json";

impl Outcomes for Extraction {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Extract {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let mut options = text::Extract::new(self.fields.iter().map(|field| field.trim()));
        options.verbatim = !self.free;
        options.max_tokens = self.texts.sampling.max_tokens.unwrap_or(options.max_tokens);
        self.texts.each(app, |session, text, cancel| {
            let found = text::extract(session, text, &options, cancel)?;
            if !app.json {
                let json = serde_json::to_string_pretty(&found.fields);
                output::line(&json.map_err(|error| Failure::Output(error.into()))?)?;
            }
            Ok(found)
        })
    }
}
