//! `kinglet replay`: which side of a report was wrong.

use crate::app::{App, Outcome, Ran};
use crate::args::{SetupArgs, positive};
use crate::failure::Failure;
use crate::{models, output};
use clap::Args;
use kinglet::gguf::Gguf;
use kinglet::model;
use kinglet::precision::{Activations, KvType};
use kinglet::trace::{Guilty, Judged, Replayed, Reported, Rerun, Setup, Which, replay};
use kinglet::weights::Weights;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Replay {
    /// What `diverge --json` printed or an app sent; `-` reads it from standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,

    /// GGUF file, or the short name of a downloaded model: smollm2, gemma3-270m. It must be the report's
    #[arg(short, long, env = "KINGLET_MODEL", value_name = "FILE|NAME")]
    model: PathBuf,

    /// Runs of the node on each device
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    repeats: usize,

    #[command(flatten)]
    setup: SetupArgs,
}

const HELP: &str = "\
Runs the node that a report names as wrong again, from the inputs in the report, on the reference and on this machine's CPU \
and GPU, and compares what they give with what both sides gave. The reference rounds its inputs as each side does, so that \
what is left is the rounding of sums. The exit status is 0 whatever is found; read `guilty`.
guilty     a, b, both, neither (both are right but for rounding), unknown (the report has no inputs)
inputs     report, or made: without inputs in the report the node gets others, which show this machine's devices alone; a \
side is guilty then only by what the report says of its runs: an error, other bits when run again, far more time
A GPU runs the node's plain kernel of the report's tier, if it can; --gpu-tier chooses another.
With --json: guilty, node, op, class, inputs, evidence, a and b {kind, detail, tier, activations, kv, difference, wrong}, sides \
[{device, detail, difference, wrong, unsteady, same_as_a, same_as_b, kernel, ms, error}], model_sha256.

Examples:
  kinglet diverge smollm2 --prompt 'One, two,' --inject tile@blk.3.ffn_down --json > report.json
  kinglet replay report.json --model smollm2
  kinglet replay report.json --model smollm2 --gpu-tier 0 --repeats 20 --json";

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    replayed: Replayed,
    model_sha256: String,
}

impl Replay {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let path = models::resolve(&self.model)?;
        let gguf = Gguf::open(&path)?;
        let reported = Reported::read(&read(&self.report)?)?;
        let (config, graph) = model::graph(&gguf)?;
        let weights = Weights::find(&gguf, &graph)?;
        let model_sha256 = gguf.sha256();
        if reported.model_sha256 != model_sha256 {
            let what = format!(
                "is {} with SHA-256 {model_sha256}, but the report is of a model with {:?}; give that one",
                path.display(),
                reported.model_sha256.chars().take(64).collect::<String>()
            );
            return Err(Failure::option("--model", what));
        }
        // The report says how its devices took activations, and how many tokens at once.
        let setup = self.setup.setup(1, Activations::default(), KvType::default());
        let mut prepare = |which: Which, setup: &Setup| setup.prepare(which, graph.clone(), weights.clone());
        let cancel = app.interrupt.begin();
        let replayed =
            replay(&graph, &weights, config.context, &reported, &setup, self.repeats, &mut prepare, &cancel)?;
        if app.json {
            output::json(&Answer { replayed, model_sha256 })?;
        } else {
            show(&replayed, &reported)?;
        }
        Ok(Outcome::Done)
    }
}

/// A report's text, no longer than any needs to be.
fn read(path: &Path) -> Result<String, Failure> {
    let from: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|source| Failure::read(path, source))?)
    };
    let mut text = String::new();
    // One byte more than is taken, so that a longer text is noticed.
    let read = from.take(Reported::LONGEST as u64 + 1).read_to_string(&mut text);
    read.map(|_| text).map_err(|source| Failure::read(path, source))
}

/// The table for people, and what follows from it.
fn show(replayed: &Replayed, reported: &Reported) -> Result<(), Failure> {
    let class = replayed.class.name();
    output::line(&format!("{} ({}): {class} on B, says the report", replayed.node, replayed.op))?;
    if replayed.inputs == "made" {
        let why = if reported.mode == "drift" { ", as none has that was made in drift mode" } else { "" };
        output::line(&format!(
            "The report has no inputs{why}; others were made, which show this machine's devices alone."
        ))?;
    }
    output::line("")?;
    let header = ["", "rel", "worst", "as A", "as B", ""];
    output::line(&row(&header.map(String::from)))?;
    for (name, side) in [("A", &replayed.a), ("B", &replayed.b)] {
        output::line(&judged(name, side))?;
    }
    for side in &replayed.sides {
        output::line(&rerun(side))?;
    }
    output::line("")?;
    if let Some(evidence) = &replayed.evidence {
        output::line(&format!("{evidence}."))?;
    }
    output::line(&conclusion(replayed))
}

fn row(cells: &[String; 6]) -> String {
    let [name, rel, worst, as_a, as_b, what] = cells;
    format!("{name:10} {rel:>8} {worst:>8}  {as_a:5} {as_b:5} {what}").trim_end().into()
}

fn judged(name: &str, side: &Judged) -> String {
    let [rel, worst] = side.difference.map_or_else(Default::default, |d| [d.rel, d.worst].map(|x| format!("{x:.1e}")));
    let is = match side.wrong {
        Some(true) => "wrong",
        Some(false) => "right",
        None => "",
    };
    row(&[
        format!("{name} {is}"),
        rel,
        worst,
        String::new(),
        String::new(),
        format!("{} {}", side.side.kind, side.side.detail),
    ])
}

fn rerun(side: &Rerun) -> String {
    let [rel, worst] = side.difference.map_or_else(Default::default, |d| [d.rel, d.worst].map(|x| format!("{x:.1e}")));
    let same = |same: Option<bool>| same.map_or("", |same| if same { "yes" } else { "no" }).to_string();
    let wrong = match (side.unsteady, side.wrong) {
        (true, _) => "unsteady, ",
        (_, true) => "wrong, ",
        _ => "",
    };
    let what = side.error.clone().unwrap_or_else(|| format!("{wrong}{}", side.detail));
    row(&[name(side.device).into(), rel, worst, same(side.same_as_a), same(side.same_as_b), what])
}

fn name(device: Which) -> &'static str {
    match device {
        Which::Reference => "reference",
        Which::Cpu => "cpu",
        Which::Gpu => "gpu",
    }
}

/// Who is guilty, and what this machine's GPU says to it.
fn conclusion(replayed: &Replayed) -> String {
    let (a, b) = (&replayed.a.side.kind, &replayed.b.side.kind);
    let guilty = match replayed.guilty {
        Guilty::A => format!("guilty: A, the {a}"),
        Guilty::B => format!("guilty: B, the {b}"),
        Guilty::Both => format!("guilty: both, the {a} and the {b}"),
        Guilty::Neither => "guilty: neither; both are right but for rounding".into(),
        Guilty::Unknown => "guilty: unknown; make the report with its inputs to tell".into(),
    };
    let gpu = replayed.sides.iter().find(|side| side.device == Which::Gpu && side.error.is_none());
    let as_guilty = gpu.and_then(|gpu| match replayed.guilty {
        Guilty::A => gpu.same_as_a,
        Guilty::B => gpu.same_as_b,
        _ => None,
    });
    let says = match gpu {
        None => "this machine has no GPU that could be asked",
        Some(gpu) if !gpu.wrong => "this machine's GPU does it right",
        Some(_) if as_guilty == Some(true) => "this machine's GPU is wrong in the same way",
        Some(_) => "this machine's GPU is wrong too, in another way",
    };
    format!("{guilty}; {says}")
}
