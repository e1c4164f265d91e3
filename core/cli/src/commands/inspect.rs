//! `kinglet inspect`: what is in a file, and what running it would take. Reads the header only.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::{cpu, output};
use clap::Args;
use kinglet::backend::Memory;
use kinglet::backend::cpu::Isa;
use kinglet::engine::Engine;
use kinglet::gguf::Gguf;
use kinglet::model;
use kinglet::tokenizer::Tokenizer;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Inspect {
    #[command(flatten)]
    model: ModelArgs,

    /// Show every tensor, not just the formats
    #[arg(long)]
    tensors: bool,
}

const HELP: &str = "\
Reads the file's header and loads nothing, so it works for models larger than the memory.
Shapes are in the file's order, columns first. The memory plan is for the options given (--ctx, --kv, --device …):
  weights  as the device would hold them        kv  keys and values of one session at full context
  scratch  intermediate values                  total  all of it
With --json: `architecture`, `context`, `tensors` [{`name`, `type`, `shape`, `bytes`}], `memory` (the plan), `cpu` (features \
that the kernels may use), `kernels`, and more.

Examples:
  kinglet inspect --model gemma3-270m
  kinglet inspect --model some-model.gguf --ctx 32768 --json";

#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    bytes: usize,
    version: u32,
    architecture: &'a str,
    context: usize,
    layers: usize,
    vocab: usize,
    metadata: BTreeMap<&'a str, String>,
    tensors: Vec<Tensor<'a>>,
    formats: BTreeMap<&'a str, Format>,
    memory: Plan,
    cpu: Vec<&'static str>,
    kernels: &'static str,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    format: &'a str,
    shape: &'a [usize],
    bytes: usize,
}

#[derive(Default, Serialize)]
struct Format {
    tensors: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct Plan {
    weights: usize,
    kv: usize,
    scratch: usize,
    total: usize,
}

impl From<Memory> for Plan {
    fn from(memory: Memory) -> Self {
        Self { weights: memory.weights, kv: memory.kv, scratch: memory.scratch, total: memory.total() }
    }
}

impl Inspect {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let path: PathBuf = self.model.path()?;
        let gguf = Gguf::open(&path)?;
        if !app.json {
            // What can be shown is shown, even of a file that cannot be run.
            self.show_file(&gguf)?;
        }
        let config = model::config(&gguf)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let memory: Plan = Engine::plan(&path, &self.model.options()?)?.into();
        if !app.json {
            return show_plan(&memory).map(|()| Outcome::Done);
        }
        output::json(&Answer {
            file: path.display().to_string(),
            bytes: gguf.len(),
            version: gguf.version(),
            architecture: config.architecture,
            context: config.context,
            layers: config.layers,
            vocab: tokenizer.vocab_size(),
            metadata: gguf.metadata().iter().map(|(key, value)| (key, value.to_string())).collect(),
            tensors: gguf.tensors().iter().map(Tensor::from).collect(),
            formats: formats(&gguf),
            memory,
            cpu: cpu::features(),
            kernels: Isa::best().name(),
        })?;
        Ok(Outcome::Done)
    }

    fn show_file(&self, gguf: &Gguf) -> Result<(), Failure> {
        output::line(&format!("GGUF v{}, {}", gguf.version(), output::bytes(gguf.len())))?;
        output::line("\nmetadata")?;
        for (key, value) in gguf.metadata().iter() {
            // A name from a file may hold what a terminal would obey.
            output::line(&format!("  {:<42} {value}", key.escape_debug().to_string()))?;
        }
        if self.tensors {
            output::line("\ntensors")?;
            for tensor in gguf.tensors() {
                let shape: Vec<_> = tensor.shape.iter().map(usize::to_string).collect();
                let (format, bytes) = (tensor.format.name, output::bytes(tensor.range.len()));
                let name = tensor.name.escape_debug().to_string();
                output::line(&format!("  {name:<40} {format:<7} {:>16} {bytes:>10}", shape.join(" x ")))?;
            }
        }
        output::line("\nformats")?;
        for (name, format) in formats(gguf) {
            output::line(&format!("  {name:<7} {:>4} tensors {:>10}", format.tensors, output::bytes(format.bytes)))?;
        }
        Ok(())
    }
}

impl<'a> From<&'a kinglet::gguf::TensorInfo> for Tensor<'a> {
    fn from(tensor: &'a kinglet::gguf::TensorInfo) -> Self {
        Self { name: &tensor.name, format: tensor.format.name, shape: &tensor.shape, bytes: tensor.range.len() }
    }
}

fn formats(gguf: &Gguf) -> BTreeMap<&'static str, Format> {
    let mut formats: BTreeMap<_, Format> = BTreeMap::new();
    for tensor in gguf.tensors() {
        let format = formats.entry(tensor.format.name).or_default();
        format.tensors += 1;
        format.bytes += tensor.range.len();
    }
    formats
}

fn show_plan(memory: &Plan) -> Result<(), Failure> {
    output::line("\nmemory to run it with these options")?;
    for (name, bytes) in [
        ("weights", memory.weights),
        ("keys and values", memory.kv),
        ("scratch", memory.scratch),
        ("total", memory.total),
    ] {
        output::line(&format!("  {name:<16} {:>10}", output::bytes(bytes)))?;
    }
    output::line(&format!("\nkernels        {}", Isa::best().name()))?;
    output::line(&format!("cpu features   {}", cpu::features().join(" ")))
}
