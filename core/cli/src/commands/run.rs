//! `kinglet run`: continues a prompt as it is.

use crate::app::{App, Ran};
use crate::args::ModelArgs;
use crate::ids::IdSource;
use crate::sampling::SamplingArgs;
use crate::stats::{self, Facts};
use crate::{input, output, stream};
use clap::Args;
use kinglet::generate::Sampling;
use kinglet::stats::Switched;
use serde::Serialize;
use std::path::Path;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP, group = clap::ArgGroup::new("what").required(true).multiple(false).args(["prompt", "ids", "ids_file"]))]
pub struct Run {
    #[command(flatten)]
    model: ModelArgs,

    /// The text to continue; `-` reads it from standard input. The model's bos comes first where it wants one
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,

    /// Turn the special tokens written in --prompt into their ids, for prompts that hold a chat template
    #[arg(long)]
    special: bool,

    #[command(flatten)]
    ids: IdSource,

    #[command(flatten)]
    sampling: SamplingArgs,
}

const HELP: &str = "\
Continues the prompt as raw text: no chat template, no instructions (see `chat` and the text commands for those).
With --json: `ids` and `text` (the generated ones), `stop`, `stats`, and `switched` [{`at_token`, `from`, `to`, `why`}]: \
the devices that --device auto gave up on the way.
stop: eos (the model ended), max_tokens, stop_string, context_full, cancelled.
stats: prompt_tokens, tokens (generated), ttft_ms (time to the first token), prefill_tps and decode_tps (tokens a second \
of reading and of writing), peak_rss_bytes, device.

Examples:
  kinglet run --model smollm2 --prompt 'The capital of France is' --max-tokens 20
  kinglet run --model gemma3-270m --ids-file prompt.ids --temperature 0 --json";

#[derive(Serialize)]
struct Answer {
    ids: Vec<u32>,
    text: String,
    stop: &'static str,
    switched: Vec<Switched>,
    stats: Facts,
}

impl Run {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let ids = self.ids.read()?;
        let prompt = match self.prompt.as_deref() {
            Some("-") => input::read(Path::new("-"))?,
            prompt => prompt.unwrap_or_default().to_string(),
        };
        let engine = self.model.open(app)?;
        let ids = match ids {
            Some(ids) => ids,
            None => super::encode(engine.tokenizer(), &prompt, engine.tokenizer().adds_bos(), self.special)?,
        };
        let sampling = self.sampling.apply(Sampling::default());
        let mut session = engine.session()?;
        let cancel = app.interrupt.begin();
        let mut generation = session.generate(&ids, &sampling, &cancel)?;
        let text = stream::follow(app, &mut generation)?;

        let stats = generation.stats();
        if app.json {
            let stop = stats.stop.map_or("", |stop| stop.name());
            output::json(&Answer {
                ids: generation.ids().to_vec(),
                text,
                stop,
                switched: stats.switched.clone(),
                stats: (&stats).into(),
            })?;
        } else {
            app.note(&stats::line(&stats, &engine));
        }
        Ok(stream::outcome(stats.stop))
    }
}
