//! What a GPU is good for, where it parts from the CPU, and how fast a device is.

use crate::worker::aside;
use crate::{EngineOptions, KingletError, Result, Work};
use kinglet::backend::{Best, Want};
use kinglet::generate::argmax;
use kinglet::guard::Fitness;
use kinglet::trace::{Mode as DiagnoseMode, Verdict as DivergenceVerdict};
use kinglet::{Diagnose, Engine};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a GPU is good for with a model.
#[uniffi::remote(Enum)]
pub enum Fitness {
    /// Everything is right as it is.
    Good,
    /// Everything is right since some kernels were replaced.
    Replaced,
    /// The model must run on the CPU.
    Cpu,
}

/// What the GPU is fed with in a comparison.
#[uniffi::remote(Enum)]
pub enum DiagnoseMode {
    /// The CPU's inputs: blames an operation and not those before it.
    Isolated,
    /// Its own: shows how errors grow.
    Drift,
}

/// What a comparison comes to.
#[uniffi::remote(Enum)]
pub enum DivergenceVerdict {
    /// Nothing but rounding.
    Same,
    /// No node is wrong, but the devices part.
    Drift,
    /// A node is wrong.
    Broken,
}

/// What a GPU came to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Qualification {
    /// What it is good for.
    pub verdict: Fitness,
    /// What was replaced, in order.
    pub ladder: Vec<LadderStep>,
    /// Whether this was known from an earlier time, and nothing ran.
    pub cached: bool,
    /// The GPU.
    pub adapter: String,
    /// Its driver and version.
    pub driver: String,
    /// Nodes and tokens that it computed now.
    pub runs: u64,
    /// How long that took.
    pub ms: f64,
    /// All of it, to be sent.
    pub json: String,
}

/// Something that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LadderStep {
    /// The node that was wrong.
    pub node: String,
    /// The kernel that was given up, or `gpu`.
    pub from_kernel: String,
    /// What stands in for it.
    pub to_kernel: String,
    /// What was wrong.
    pub why: String,
}

/// How much of a comparison an app can afford. What is left out is the core's: a minute, 32 tokens, no text.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct DiagnoseOptions {
    /// What the GPU is fed with; `Isolated` by default.
    #[uniffi(default = None)]
    pub mode: Option<DiagnoseMode>,
    /// Goes on after the first node that is wrong.
    #[uniffi(default = false)]
    pub all: bool,
    /// The prompt's first tokens that are compared.
    #[uniffi(default = None)]
    pub prompt_tokens: Option<u32>,
    /// Tokens that both continue with.
    #[uniffi(default = None)]
    pub tokens: Option<u32>,
    /// Runs of each node, to find what is wrong now and then.
    #[uniffi(default = None)]
    pub repeats: Option<u32>,
    /// No node begins after so many seconds.
    #[uniffi(default = None)]
    pub seconds: Option<u32>,
    /// Whether the report may hold token ids, which are the text.
    #[uniffi(default = false)]
    pub with_ids: bool,
    /// Whether the report may hold the first wrong node's inputs, which tell the text too.
    #[uniffi(default = false)]
    pub with_inputs: bool,
}

impl From<DiagnoseOptions> for Diagnose {
    fn from(given: DiagnoseOptions) -> Self {
        let own = Self::default();
        let number = |given: Option<u32>, own: usize| given.map_or(own, |n| n as usize);
        Self {
            mode: given.mode.unwrap_or(own.mode),
            all: given.all,
            prompt_tokens: number(given.prompt_tokens, own.prompt_tokens),
            tokens: number(given.tokens, own.tokens),
            repeats: number(given.repeats, own.repeats),
            within: given.seconds.map_or(own.within, |n| Duration::from_secs(n.into())),
            with_ids: given.with_ids,
            with_inputs: given.with_inputs,
        }
    }
}

/// Where the GPU parts from the CPU.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Divergence {
    /// What it comes to.
    pub verdict: DivergenceVerdict,
    /// The first node that is wrong.
    pub first_bad: Option<String>,
    /// What kind of wrong it is: `overflow`, `zeros`, `tile`, ...
    pub class_of_fault: Option<String>,
    /// The kernels that compute it.
    pub kernel: Option<String>,
    /// Nodes that were compared.
    pub nodes: u32,
    /// Whether all was compared, before time was up.
    pub whole: bool,
    /// All of it, to be sent; `kinglet replay` reads it.
    pub json: String,
    /// The same for people: one HTML file, which loads nothing.
    pub html: String,
}

/// Asks a GPU for every kernel of a model and compares with the CPU. The outcome is kept in `cache_folder`. What the GPU
/// gets wrong is no error.
#[uniffi::export(default(work = None, options))]
pub async fn qualify(path: String, options: EngineOptions, work: Option<Arc<Work>>) -> Result<Qualification> {
    let (options, work) = (options.core()?, Work::of(work));
    let ask = move |work: &Work| {
        let found = Engine::qualify(path, &options, &mut |done, all| work.note(done, all), work.token())?;
        Ok(Qualification {
            json: json(&found)?,
            verdict: found.verdict,
            ladder: found
                .ladder
                .into_iter()
                .map(|step| LadderStep { node: step.node, from_kernel: step.from, to_kernel: step.to, why: step.why })
                .collect(),
            cached: found.cached,
            adapter: found.adapter,
            driver: found.driver,
            runs: found.runs as u64,
            ms: found.time.as_secs_f64() * 1e3,
        })
    };
    aside(&work, ask)?.get().await
}

/// Compares GPU and CPU on a prompt, node by node, one device at a time. The report holds numbers and names, and of the
/// text only what was asked for.
#[uniffi::export(default(work = None, wanted = None, options))]
pub async fn diagnose(
    path: String,
    prompt: String,
    options: EngineOptions,
    wanted: Option<DiagnoseOptions>,
    work: Option<Arc<Work>>,
) -> Result<Divergence> {
    let (options, work) = (options.core()?, Work::of(work));
    let wanted = Diagnose::from(wanted.unwrap_or_default());
    let compare = move |work: &Work| {
        let mut progress = |done, all| work.note(done, all);
        let found = Engine::diagnose(path, &options, &prompt, &wanted, &mut progress, work.token())?;
        let (json, report) = (json(&found)?, &found.report);
        let bad = report.first_bad.as_ref();
        Ok(Divergence {
            verdict: report.verdict,
            first_bad: bad.map(|node| node.node.clone()),
            class_of_fault: bad.and_then(|node| node.class).map(|class| class.name().to_owned()),
            kernel: bad.and_then(|node| node.kernel.clone()),
            nodes: report.nodes.len() as u32,
            whole: report.whole,
            json,
            html: found.page,
        })
    };
    aside(&work, compare)?.get().await
}

fn json(report: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(report).map_err(|error| KingletError::internal(&error.to_string()))
}

/// How fast an engine is: tokens a second, of each run and their median.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Benchmark {
    /// Reading a prompt; the median.
    pub prefill_tps: f64,
    /// Writing; the median.
    pub decode_tps: f64,
    /// Reading, each run.
    pub prefill_samples: Vec<f64>,
    /// Writing, each run.
    pub decode_samples: Vec<f64>,
    /// What it ran on.
    pub device: String,
}

/// Decoding is measured behind so many tokens.
const DECODE_AFTER: usize = 16;

/// Measures on a session of its own.
pub(crate) fn benchmark(engine: &Engine, prefill: u32, decode: u32, repeat: u32, work: &Work) -> Result<Benchmark> {
    let [prefill, decode, repeat] = [prefill, decode, repeat].map(|n| n as usize);
    for (name, number) in [("prefill", prefill), ("decode", decode), ("repeat", repeat)] {
        if number == 0 {
            return Err(KingletError::option(name, "is 0; give at least 1"));
        }
    }
    let (needed, context) = (prefill.max(decode.saturating_add(DECODE_AFTER)), engine.context());
    if needed > context {
        return Err(kinglet::Error::ContextFull { needed, context }.into());
    }
    // A fixed row of ids that visits the whole vocabulary.
    let ids: Vec<u32> = (0..needed).map(|i| ((i * 7919 + 13) % engine.vocab().max(1)) as u32).collect();
    let (short, long) = (&ids[..DECODE_AFTER], &ids[..prefill]);
    let mut session = engine.session()?;
    let cancel = work.token();
    // Warms up pages, caches and the clock.
    session.feed(short, cancel)?;
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    for run in 0..repeat {
        work.note(run, repeat);
        session.reset()?;
        let started = Instant::now();
        session.feed(long, cancel)?;
        reading.push(prefill as f64 / started.elapsed().as_secs_f64());
        session.reset()?;
        session.feed(short, cancel)?;
        let started = Instant::now();
        for _ in 0..decode {
            let id = argmax(session.logits()).unwrap_or_default();
            session.feed_for(&[id], Want::Best(Best::of(1)), cancel)?;
        }
        writing.push(decode as f64 / started.elapsed().as_secs_f64());
    }
    work.note(repeat, repeat);
    Ok(Benchmark {
        prefill_tps: median(&reading),
        decode_tps: median(&writing),
        prefill_samples: reading,
        decode_samples: writing,
        device: engine.device().kind.into(),
    })
}

/// The middle one, the lower of two; 0 of none.
fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
