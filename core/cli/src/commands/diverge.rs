//! `kinglet diverge`: where two devices part.

use crate::app::{App, Outcome, Ran};
use crate::args::{ActivationsArg, KvArg, SetupArgs, positive, tier};
use crate::failure::Failure;
use crate::ids::IdSource;
use crate::{input, models, output, progress};
use clap::{Args, ValueEnum};
use kinglet::backend::Program;
use kinglet::backend::bad::{Bad, Inject};
use kinglet::backend::gpu::Tier;
use kinglet::gguf::Gguf;
use kinglet::model;
use kinglet::tokenizer::Tokenizer;
use kinglet::trace::{
    Class, Dumped, FUSED_TOKENS, Mode, NodeReport, Options, Report, Reproducer, Setup, Side, Token, Verdict, Which,
    diverge, dump, let_go, page,
};
use kinglet::weights::Weights;
use kinglet::{Activations, KvType, Schedule};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP, group = clap::ArgGroup::new("what").required(true).multiple(false).args(["prompt", "ids", "ids_file"]))]
pub struct Diverge {
    /// GGUF file, or the short name of a downloaded model: smollm2, gemma3-270m
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The text to run; `-` reads it from standard input. The model's bos comes first where it wants one
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,

    #[command(flatten)]
    ids: IdSource,

    /// The device that is taken to be right: reference, cpu or gpu; with a tier, as in gpu:0, that one whatever
    /// --gpu-tier says; or a file that --dump wrote, perhaps elsewhere, or another engine
    #[arg(long, value_name = "DEVICE[:TIER]|FILE", default_value = "cpu", value_parser = side)]
    a: SideArg,

    /// The device that is looked at; a file in drift mode alone. Of a gpu plain kernels are compared and, for the last
    /// tokens, fused ones; with gpu:plain only those, with gpu:fused these for all tokens, in drift mode alone
    #[arg(long, value_name = "DEVICE[:TIER][:SCHEDULE]|FILE", default_value = "gpu", value_parser = side)]
    b: SideArg,

    /// Write every value of A to a file instead of comparing: safetensors, a tensor for each node by its name
    #[arg(long, value_name = "FILE", conflicts_with_all = ["html", "inject"])]
    dump: Option<PathBuf>,

    /// What the nodes of B are fed with: `isolated`, A's values, blames the operation that is wrong; `drift`, its own,
    /// shows how errors grow
    #[arg(long, value_enum, default_value_t)]
    mode: ModeArg,

    /// Go on after the first node that is wrong
    #[arg(long)]
    all: bool,

    /// Tokens that each device continues the prompt with
    #[arg(long, value_name = "TOKENS", default_value_t = 16)]
    tokens: usize,

    /// Runs of each node with the same inputs. A node that is wrong one time in four passes n runs one time in (4/3)^n
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    repeats: usize,

    /// Prompt tokens compared at once
    #[arg(long, value_name = "TOKENS", default_value_t = 32, value_parser = positive)]
    chunk: usize,

    /// How activations enter integer products
    #[arg(long, value_enum, default_value_t)]
    activations: ActivationsArg,

    /// How keys and values are stored
    #[arg(long, value_enum, default_value_t)]
    kv: KvArg,

    #[command(flatten)]
    setup: SetupArgs,

    /// Write a page that shows it all in a browser: one file that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Play a bad driver on B: KIND@NODE[/fused][:PROBABILITY], for instance `zeros@blk.3.ffn_down`, or with /fused in
    /// the fused kernel alone. Kinds: f16-residual, f16-accumulate, zeros, tile, flaky, stale, from-index, subgroup32,
    /// lost, slow, refused
    #[arg(long, value_name = "KIND@NODE")]
    inject: Option<Inject>,
}

/// `--a`, `--b`
#[derive(Clone, Debug, PartialEq, Eq)]
enum SideArg {
    /// With a tier, and a schedule, if they are given.
    Device(Which, Option<Tier>, Option<Schedule>),
    Dump(PathBuf),
}

/// A device's name, and a tier and a schedule after it; or the path of a dump.
fn side(text: &str) -> Result<SideArg, String> {
    if text.ends_with(".safetensors") {
        return Ok(SideArg::Dump(text.into()));
    }
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let which = match name {
        "reference" => Which::Reference,
        "cpu" => Which::Cpu,
        "gpu" => Which::Gpu,
        _ => return Err("no device; give reference, cpu, gpu, or a file whose name ends in .safetensors".into()),
    };
    let (mut number, mut schedule) = (None, None);
    for part in parts {
        match part {
            _ if which != Which::Gpu => return Err("only a gpu has tiers and schedules here".into()),
            "plain" => schedule = Some(Schedule::Plain),
            "fused" => schedule = Some(Schedule::Fused),
            part => number = Some(tier(part)?),
        }
    }
    Ok(SideArg::Device(which, number, schedule))
}

/// `--mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ModeArg {
    /// Each node of B gets A's inputs
    #[default]
    Isolated,
    /// Each device feeds itself
    Drift,
}

const HELP: &str = "\
Runs a prompt on two devices and compares every node of the model's graph by its name. The exit status is 0 whatever is \
found; read `verdict`.
verdict    same: nothing but rounding; drift: no node is wrong, but the texts part; broken: a node is wrong
class      overflow (not finite, or ends at 65,504), zeros, tile (one rectangle), nondeterministic (other bits when run \
again), limit (from an index on), precision (rounded to a smaller type), subgroup (lanes beyond the 32nd of each 64 give \
nothing), lost, refused (the device would not run it), slow, drift, wrong (none of these)
rel        root of the mean square error, relative; worst: of one number, relative to it and the typical one of its row
With --json: verdict, mode, first_bad and nodes [{node, layer, op, fused, width, rows, broken, class, max_abs, rel, worst, cosine, \
nan, inf, first_index, max_a, max_b, slice, kernel, ms, error}], tokens {a, b, part_at, top_a, top_b}, a and b \
{kind, detail, tier, activations, kv}, model_sha256, inject, replay {the first wrong node with its inputs and both outputs, for `kinglet replay`: at most 1 MiB}. \
Inputs tell what the prompt was; isolated mode alone has them.
A dump is a safetensors file: for each node that it has a tensor [tokens, width] by the node's name, in F32, F16 or BF16, of \
exactly the prompt's tokens. Nodes that it lacks are not compared.

Examples:
  kinglet diverge gemma3-270m --prompt 'The capital of France is' --a cpu --b gpu
  kinglet diverge smollm2 --prompt 'One, two,' --a reference --b gpu --mode drift --all --json
  kinglet diverge smollm2 --prompt 'One, two,' --a gpu:0 --b gpu:2
  kinglet diverge smollm2 --prompt 'One, two,' --a gpu --dump phone.safetensors
  kinglet diverge smollm2 --prompt 'One, two,' --a phone.safetensors --b cpu
  kinglet diverge smollm2 --prompt 'One, two,' --inject tile@blk.7.ffn_up --all --html report.html";

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    /// The first wrong node with its inputs.
    replay: Option<Reproducer>,
    model_sha256: String,
}

impl Diverge {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let ids = self.ids.read()?;
        let gguf = Gguf::open(&models::resolve(&self.model)?)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let ids = if let Some(ids) = ids {
            ids
        } else {
            let prompt = match self.prompt.as_deref() {
                Some("-") => input::read(Path::new("-"))?,
                prompt => prompt.unwrap_or_default().to_string(),
            };
            super::encode(&tokenizer, &prompt, tokenizer.adds_bos(), false)?
        };
        let Some(mut report) = self.compare(app, &gguf, &ids)? else { return self.dumped(app) };
        if !app.json {
            show(&report, &tokenizer)?;
        }
        if app.json || self.html.is_some() {
            // Reads the whole file.
            let answer = Answer { replay: report.replay.take(), report, model_sha256: gguf.sha256() };
            if let Some(path) = &self.html {
                let model = self.model.file_name().unwrap_or(self.model.as_os_str()).to_string_lossy();
                let page = page(&answer.report, &model, &answer.model_sha256, &tokenizer)?;
                std::fs::write(path, page).map_err(|source| Failure::write(path, &source))?;
            }
            if app.json {
                output::json(&answer)?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Where A's values are.
    fn dumped(&self, app: &App) -> Ran {
        let path = self.dump.as_deref().unwrap_or(Path::new("")).display().to_string();
        if app.json {
            output::json(&serde_json::json!({ "dump": path }))?;
        } else {
            output::line(&format!("{path} has every value of A; compare with it by --a {path}"))?;
        }
        Ok(Outcome::Done)
    }

    /// What the comparison found; nothing where A is only written down.
    fn compare(&self, app: &App, gguf: &Gguf, ids: &[u32]) -> Result<Option<Report>, Failure> {
        let (_, graph) = model::graph(gguf)?;
        let weights = Weights::find(gguf, &graph)?;
        if let Some(id) = ids.iter().find(|id| **id as usize >= graph.vocab()) {
            return Err(kinglet::Error::TokenId { id: *id, vocab: graph.vocab() }.into());
        }
        let chunk = self.chunk.min(ids.len()).max(1);
        let setup = self.setup.setup(chunk, self.activations.into(), self.kv.into());
        if let SideArg::Device(_, _, Some(Schedule::Fused)) = self.a {
            let what = "is fused, which computes some nodes on its way and keeps no value of them; give it as --b";
            return Err(Failure::option("--a", what));
        }
        // Of B alone: all values of A are read.
        let fused = match (&self.b, self.mode) {
            (SideArg::Device(Which::Gpu, _, Some(Schedule::Fused)), _) => ids.len(),
            (SideArg::Device(Which::Gpu, _, None), ModeArg::Isolated) => FUSED_TOKENS,
            _ => 0,
        };
        let prepare = |side: &SideArg, reads: bool, fused: bool| -> kinglet::Result<Prepared> {
            let (which, tier) = match side {
                SideArg::Device(which, tier, _) => (*which, tier.or(setup.tier)),
                SideArg::Dump(path) => return Ok(Prepared::read(Dumped::open(path, &graph, ids)?)),
            };
            let setup = Setup { tier, fused, ..setup.clone() };
            let (graph, weights) = (graph.clone(), weights.clone());
            let program = if reads {
                setup.prepare(which, graph, weights)?
            } else {
                setup.prepare_alone(which, graph, weights)?
            };
            let (activations, kv) = (setup.activations_of(which), setup.kv_of(which));
            Ok(Prepared { program, activations, kv, tokens: usize::MAX })
        };
        let mut a = prepare(&self.a, true, false)?;
        let cancel = app.interrupt.begin();
        if let Some(path) = &self.dump {
            let side = Side::of(a.program.device(), a.activations, a.kv);
            let size = (setup.chunk, self.tokens.min(a.tokens));
            dump(path, &graph, a.program.as_mut(), &side, ids, size, &cancel)?;
            return Ok(None);
        }
        if let SideArg::Device(..) = self.a {
            // One after the other: together they would take twice the memory that the model needs.
            let side = Side::of(a.program.device(), a.activations, a.kv);
            let folder = models::cache().unwrap_or_else(std::env::temp_dir);
            let size = (setup.chunk, self.tokens);
            let program = let_go(a.program, &folder, &graph, &weights, &side, ids, size, &cancel)?;
            a.program = Box::new(program);
        }
        let mut b = prepare(&self.b, self.mode == ModeArg::Drift, fused > 0)?;
        if let Some(inject) = &self.inject {
            b.program = Box::new(Bad::new(b.program, graph.clone(), inject.clone(), setup.chunk)?);
        }
        let options = Options {
            mode: if self.mode == ModeArg::Isolated { Mode::Isolated } else { Mode::Drift },
            all: self.all,
            tokens: self.tokens.min(a.tokens).min(b.tokens),
            repeats: self.repeats,
            chunk: setup.chunk,
            fused,
            activations: (a.activations, b.activations),
            kv: (a.kv, b.kv),
            with_inputs: app.json,
            until: None,
        };
        let bar = progress::counting(app, "comparing");
        let mut step = |done: usize, all: usize| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        };
        let report = diverge(&graph, a.program.as_mut(), b.program.as_mut(), ids, &options, &mut step, &cancel);
        bar.finish_and_clear();
        let mut report = report?;
        report.inject = self.inject.as_ref().map(ToString::to_string);
        Ok(Some(report))
    }
}

/// A side, ready to be compared.
struct Prepared {
    program: Box<dyn Program>,
    activations: Activations,
    kv: KvType,
    /// How many tokens it can continue with.
    tokens: usize,
}

impl Prepared {
    /// Another engine is taken to compute in f32.
    fn read(dumped: Dumped) -> Self {
        let (activations, kv) =
            dumped.side().map_or((Activations::F32, KvType::F32), |side| (side.activations, side.kv));
        Self { activations, kv, tokens: dumped.tokens(), program: Box::new(dumped) }
    }
}

/// The table for people.
fn show(report: &Report, tokenizer: &Tokenizer) -> Result<(), Failure> {
    output::line(&format!("A  {:9} {}", report.a.kind, report.a.detail))?;
    output::line(&format!("B  {:9} {}", report.b.kind, report.b.detail))?;
    output::line(&format!("   {} tokens, {} mode, {} nodes", report.prompt_tokens, report.mode, report.nodes.len()))?;
    output::line("")?;
    let header = ["node", "op", "rel", "worst", "cosine", "max A", "max B", ""];
    output::line(&row(&header.map(String::from)))?;
    for node in shown(report) {
        let d = &node.difference;
        let what = match (&node.error, node.class) {
            (Some(error), _) => error.clone(),
            (None, Some(class)) => class.name().into(),
            (None, None) => String::new(),
        };
        let numbers = [d.rel, d.worst].map(|x| format!("{x:.1e}"));
        let [rel, worst] = numbers;
        let (max_a, max_b) = (format!("{:.4}", node.max_a), format!("{:.4}", d.max_b));
        let cosine = format!("{:.6}", d.cosine);
        output::line(&row(&[shown_name(node), node.op.into(), rel, worst, cosine, max_a, max_b, what]))?;
    }
    output::line("")?;
    let tokens = &report.tokens;
    match tokens.part_at {
        Some(at) => {
            let near = report.verdict == Verdict::Same;
            let why = if near { ", where two are as likely" } else { "" };
            output::line(&format!("the texts part at token {at}{why}:"))?;
            for (side, top) in [("A", &tokens.top_a), ("B", &tokens.top_b)] {
                output::line(&format!("  {side}  {}", best(top, tokenizer)))?;
            }
        }
        None if tokens.a.is_empty() => {}
        None => output::line(&format!("both continue with the same {} tokens", tokens.a.len()))?,
    }
    output::line(&match (&report.first_bad, report.verdict) {
        (Some(node), _) => {
            let class = node.class.map_or("wrong", Class::name);
            let at = node.difference.first_index.map_or(String::new(), |at| format!(", first at index {at}"));
            let kernel = node.kernel.as_ref().map_or(String::new(), |kernel| format!(", kernel {kernel}"));
            format!("broken: {} ({}) is wrong on {}: {class}{at}{kernel}", shown_name(node), node.op, report.b.kind)
        }
        (None, Verdict::Drift) => "drift: no node is wrong alone, but the devices part".into(),
        (None, _) => "same: nothing but rounding".into(),
    })
}

/// The nodes worth a line: the wrong ones, and of the others those that are furthest off.
fn shown(report: &Report) -> Vec<&NodeReport> {
    const MOST: usize = 12;
    let mut nodes: Vec<&NodeReport> = report.nodes.iter().collect();
    nodes.sort_by(|a, b| {
        (b.broken, b.difference.rel).partial_cmp(&(a.broken, a.difference.rel)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let broken = nodes.iter().filter(|node| node.broken).count();
    nodes.truncate(broken.max(MOST));
    nodes
}

/// A node's name, and whether it was computed on the way of a fused kernel.
fn shown_name(node: &NodeReport) -> String {
    format!("{}{}", node.node, if node.fused { " fused" } else { "" })
}

fn row(cells: &[String; 8]) -> String {
    let [node, op, rel, worst, cosine, max_a, max_b, what] = cells;
    format!("{node:26} {op:9} {rel:>8} {worst:>8} {cosine:>9} {max_a:>12} {max_b:>12}  {what}").trim_end().into()
}

fn best(top: &[Token], tokenizer: &Tokenizer) -> String {
    let one = |token: &Token| format!("{:?} {:.2}", tokenizer.piece_text(token.id), token.logit);
    top.iter().map(one).collect::<Vec<_>>().join("  ")
}
