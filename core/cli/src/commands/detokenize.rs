//! `kinglet detokenize`: token ids to text.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::ids::{self, IdSource};
use crate::output;
use clap::Args;
use kinglet::tokenizer::Tokenizer;
use serde::Serialize;
use std::path::Path;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Detokenize {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    ids: IdSource,

    /// Many lists from standard input: a JSON array of ids (or an object with `ids`) a line in, one JSON object a line out
    #[arg(long, conflicts_with_all = ["ids", "ids_file"])]
    jsonl: bool,
}

const HELP: &str = "\
With --json: `text` and `bytes`. `bytes` are the tokens' bytes as hexadecimal digits; `text` is the same with U+FFFD for what is not UTF-8.
Without --ids and --ids-file the ids are read from standard input.

Examples:
  kinglet detokenize --model smollm2 --ids 19556,28,905
  kinglet detokenize --model smollm2 --ids-file prompt.ids --json";

#[derive(Serialize)]
struct Answer {
    text: String,
    bytes: String,
}

impl Detokenize {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let tokenizer = self.model.tokenizer()?;
        if self.jsonl {
            return super::each_line(Path::new("-"), |line| {
                let ids = ids::from_json_line(line).map_err(|what| Failure::Here("json", what))?;
                answer(&tokenizer, &ids)
            });
        }
        let ids = match self.ids.read()? {
            Some(ids) => ids,
            None => ids::from_file(Path::new("-"))?,
        };
        let answer = answer(&tokenizer, &ids)?;
        if app.json {
            output::json(&answer)?;
        } else {
            output::text(&answer.text)?;
        }
        Ok(Outcome::Done)
    }
}

fn answer(tokenizer: &Tokenizer, ids: &[u32]) -> Result<Answer, Failure> {
    let bytes = tokenizer.decode(ids)?;
    let mut hex = String::with_capacity(2 * bytes.len());
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        hex.extend(char::from_digit(digit.into(), 16));
    }
    Ok(Answer { text: String::from_utf8_lossy(&bytes).into_owned(), bytes: hex })
}
