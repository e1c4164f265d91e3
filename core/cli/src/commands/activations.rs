//! `kinglet activations`: how large a model's values become.

use crate::app::{App, Outcome, Ran};
use crate::args::positive;
use crate::failure::Failure;
use crate::plan::Plan;
use crate::{input, models, output};
use clap::Args;
use kinglet::engine::{Activations as Precision, KvType};
use kinglet::gguf::Gguf;
use kinglet::model;
use kinglet::tokenizer::Tokenizer;
use kinglet::trace::{Activation, F16_MAX, Setup, Which, activations, plan};
use kinglet::weights::Weights;
use serde::Serialize;
use std::path::PathBuf;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Activations {
    /// GGUF file, or the short name of a downloaded model: smollm2, gemma3-270m
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A text file to run; `-` is standard input. By default a short text that is built in
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,

    /// Most tokens of it
    #[arg(long, value_name = "TOKENS", default_value_t = 256, value_parser = positive)]
    tokens: usize,

    /// Write the precision plan to a file, as JSON: which nodes may be stored in f16; for --gpu-precision
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// CPU threads
    #[arg(long, value_name = "N", value_parser = positive)]
    threads: Option<usize>,
}

const HELP: &str = "\
Runs a text on the CPU and notes the largest magnitude of every node. f16 ends at 65,504: a device that stores a larger \
value in it computes infinities, and then prints nonsense. bf16 reaches as far as f32, with 8 bits of precision.
stored   the least that a node may be stored in; f32 where it is part of the residual stream, a norm's input or a \
logit, or where its values come too near to 65,504
With --json: tokens, over_f16 (nodes that exceed f16), nodes [{node, layer, op, max_abs, over_f16, stored, why}].

Examples:
  kinglet activations gemma3-270m
  kinglet activations smollm2 --text article.txt --plan smollm2.plan.json";

/// Of what a phone's user reads and writes.
const TEXT: &str = "Good morning! The parcel from the bookshop was left with your neighbour at number 12; please collect it \
before 6 pm. Lunch on Sunday at one? Bring the salad, and 3 or 4 chairs if you can. Your train to Hamburg leaves from \
platform 7, about 20 minutes late. fn main() { println!(\"{}\", 2 + 2); } Der Termin wurde auf Freitag verschoben.";

#[derive(Serialize)]
struct Answer {
    tokens: usize,
    over_f16: usize,
    nodes: Vec<Activation>,
}

impl Activations {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let text = self.text.as_deref().map(input::read).transpose()?;
        let gguf = Gguf::open(&models::resolve(&self.model)?)?;
        let (_, graph) = model::graph(&gguf)?;
        let weights = Weights::find(&gguf, &graph)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let mut ids = super::encode(&tokenizer, text.as_deref().unwrap_or(TEXT), tokenizer.adds_bos(), false)?;
        ids.truncate(self.tokens);
        if ids.is_empty() {
            return Err(Failure::option("--text", "is empty; give a text of at least one token"));
        }
        let setup = Setup {
            threads: self.threads.unwrap_or_else(|| kinglet::Options::default().threads()),
            chunk: ids.len().min(64),
            activations: Precision::Int16,
            kv: KvType::F16,
            adapter: None,
            tier: None,
            deny: Vec::new(),
            fused: false,
        };
        let mut program = setup.prepare(Which::Cpu, graph.clone(), weights)?;
        let nodes = activations(&graph, program.as_mut(), &ids, setup.chunk, &app.interrupt.begin())?;
        if let Some(path) = &self.plan {
            Plan { model_sha256: gguf.sha256(), stored: plan(&nodes) }.write(path)?;
        }
        let over_f16 = nodes.iter().filter(|node| node.over_f16 > 0).count();
        if app.json {
            output::json(&Answer { tokens: ids.len(), over_f16, nodes })?;
            return Ok(Outcome::Done);
        }
        let mut largest: Vec<&Activation> = nodes.iter().collect();
        largest.sort_by(|a, b| b.max_abs.total_cmp(&a.max_abs));
        output::line(&format!("{} tokens, {} nodes; the largest:", ids.len(), nodes.len()))?;
        for node in largest.iter().take(16) {
            let over = if node.over_f16 > 0 { "beyond f16" } else { "" };
            output::line(
                format!("{:28} {:9} {:>14.2}  {:4} {over}", node.node, node.op, node.max_abs, node.stored).trim_end(),
            )?;
        }
        let f16 = nodes.iter().filter(|node| node.stored == "f16").count();
        output::line(&format!(
            "{over_f16} nodes exceed f16's {F16_MAX}; {f16} of {} may be stored in it",
            nodes.len()
        ))?;
        Ok(Outcome::Done)
    }
}
