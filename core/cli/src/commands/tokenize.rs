//! `kinglet tokenize`: text to token ids.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::{input, output};
use clap::Args;
use kinglet::tokenizer::Tokenizer;
use serde::Serialize;
use std::path::PathBuf;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
#[allow(clippy::struct_excessive_bools)] // they are flags
pub struct Tokenize {
    #[command(flatten)]
    model: ModelArgs,

    /// A text file; standard input by default
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    file: PathBuf,

    /// Turn special tokens that are written in the text into their ids; else they are plain text like any other
    #[arg(long)]
    special: bool,

    /// Put the model's bos token first
    #[arg(long)]
    bos: bool,

    /// Many texts: one JSON string a line in, one JSON object a line out
    #[arg(long)]
    jsonl: bool,

    /// Show one token a line with its text
    #[arg(long)]
    pieces: bool,
}

const HELP: &str = "\
The text is taken byte for byte: no final newline is stripped or added. `pieces` are the tokens' texts; where a token is \
only a part of a character, U+FFFD stands for it (`detokenize` has the bytes).

Examples:
  printf 'Hello, world' | kinglet tokenize --model smollm2 --json
  printf 'Hello' | kinglet tokenize --model smollm2 | kinglet detokenize --model smollm2 --ids-file -";

#[derive(Serialize)]
struct Answer {
    ids: Vec<u32>,
    pieces: Vec<String>,
}

impl Tokenize {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let tokenizer = self.model.tokenizer()?;
        if self.jsonl {
            return super::each_line(&self.file, |line| {
                let text: String = serde_json::from_str(line)
                    .map_err(|error| Failure::Here("json", format!("not a JSON string: {error}")))?;
                self.answer(&tokenizer, &text)
            });
        }
        let answer = self.answer(&tokenizer, &input::read(&self.file)?)?;
        if app.json {
            output::json(&answer)?;
        } else if self.pieces {
            for (id, piece) in answer.ids.iter().zip(&answer.pieces) {
                output::line(&format!("{id:>8}  {piece:?}"))?;
            }
        } else {
            let ids: Vec<_> = answer.ids.iter().map(u32::to_string).collect();
            output::line(&ids.join(" "))?;
        }
        Ok(Outcome::Done)
    }

    fn answer(&self, tokenizer: &Tokenizer, text: &str) -> Result<Answer, Failure> {
        let ids = super::encode(tokenizer, text, self.bos, self.special)?;
        let pieces = ids.iter().map(|id| tokenizer.piece_text(*id)).collect();
        Ok(Answer { ids, pieces })
    }
}
