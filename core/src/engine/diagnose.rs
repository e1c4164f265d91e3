//! Where a handset's GPU parts from its CPU, in one call inside an app.

use super::{Engine, Options, Schedule};
use crate::backend::Cancel;
#[cfg(feature = "inject")]
use crate::backend::bad::Bad;
use crate::gguf::Gguf;
use crate::graph::PrecisionPlan;
use crate::model;
use crate::tokenizer::{Special, Tokenizer};
use crate::trace::{self, FUSED_TOKENS, Mode, Report, Reproducer, Setup, Side, Which, diverge};
use crate::weights::Weights;
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// How much of a comparison an app can afford.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnose {
    /// What the GPU is fed with.
    pub mode: Mode,
    /// Goes on after the first node that is wrong.
    pub all: bool,
    /// The prompt's first tokens that are compared.
    pub prompt_tokens: usize,
    /// Tokens that both continue with.
    pub tokens: usize,
    /// Runs of each node, to find what is wrong now and then.
    pub repeats: usize,
    /// No node begins after so long; what was found until then is reported.
    pub within: Duration,
    /// Whether the report may hold the ids of the prompt and of its continuations, which are its text.
    pub with_ids: bool,
    /// Whether the report may hold what the first wrong node was given, for `kinglet replay`. Inputs and keys tell which
    /// tokens they were made of, so they are the prompt's text too.
    pub with_inputs: bool,
}

impl Default for Diagnose {
    /// A minute, 32 tokens, no ids, no inputs.
    fn default() -> Self {
        Self {
            mode: Mode::Isolated,
            all: false,
            prompt_tokens: 32,
            tokens: 8,
            repeats: 3,
            within: Duration::from_mins(1),
            with_ids: false,
            with_inputs: false,
        }
    }
}

/// What an app can send to whoever has to find the fault: numbers, names and shapes, no text.
#[derive(Clone, Debug, Serialize)]
pub struct DivergenceReport {
    /// The comparison; its second side has the device, its driver and the tier.
    #[serde(flatten)]
    pub report: Report,
    /// The prompt's ids, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_ids: Option<Vec<u32>>,
    /// The first wrong node with its inputs and outputs, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Reproducer>,
    /// Of the model's file, as hexadecimal digits.
    pub model_sha256: String,
    /// What is stored in less than f32.
    pub precision: PrecisionPlan,
    /// Of this crate.
    pub kinglet: &'static str,
    /// Of what talks to the driver.
    pub wgpu: &'static str,
    /// The comparison for people: one HTML file, which loads nothing.
    #[serde(skip)]
    pub page: String,
}

/// Tokens whose values are in memory at a time: a megabyte each, about.
const CHUNK: usize = 16;
/// The version that `Cargo.toml` pins.
const WGPU: &str = "30.0.2";

impl Engine {
    /// Compares the GPU with the CPU node by node on the beginning of a text, and names the first operation that is
    /// wrong: for an app whose user reports nonsense. `progress` is told nodes compared, of all of a chunk.
    ///
    /// It prepares both devices for itself, one after the other, and frees them at the end: where memory is short, drop the
    /// engine before. What the CPU computed waits in a file that nobody else sees, in
    /// [`GpuOptions::cache`](super::GpuOptions::cache) or the system's folder for such files: about a megabyte a token.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Cancelled`]. What the GPU cannot do is in the report.
    pub fn diagnose(
        path: impl AsRef<Path>,
        options: &Options,
        prompt: &str,
        wanted: &Diagnose,
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<DivergenceReport> {
        let until = Instant::now() + wanted.within;
        let gguf = Gguf::open(path.as_ref())?;
        let (config, graph) = model::graph(&gguf)?;
        options.validate(&config)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let ids = encode(&tokenizer, prompt, wanted.prompt_tokens)?;
        let weights = Weights::find(&gguf, &graph)?;
        let setup = Setup {
            threads: options.threads(),
            chunk: options.prefill_chunk.min(ids.len()).clamp(1, CHUNK),
            activations: options.activations,
            kv: options.kv,
            adapter: options.gpu.adapter.clone(),
            tier: options.gpu.tier,
            deny: options.gpu.deny.clone(),
            fused: options.schedule == Schedule::Fused && wanted.mode == Mode::Isolated,
        };
        let cpu = setup.prepare(Which::Cpu, graph.clone(), weights.clone())?;
        let side = Side::of(cpu.device(), setup.activations, setup.kv);
        let folder = options.gpu.cache.clone().unwrap_or_else(std::env::temp_dir);
        let size = (setup.chunk, wanted.tokens);
        let mut cpu = trace::let_go(cpu, &folder, &graph, &weights, &side, &ids, size, cancel)?;
        let mut gpu = match wanted.mode {
            Mode::Isolated => setup.prepare_alone(Which::Gpu, graph.clone(), weights)?,
            Mode::Drift => setup.prepare(Which::Gpu, graph.clone(), weights)?,
        };
        #[cfg(feature = "inject")]
        if let Some(inject) = &options.gpu.inject {
            gpu = Box::new(Bad::new(gpu, graph.clone(), inject.clone(), setup.chunk)?);
        }
        let compared = trace::Options {
            mode: wanted.mode,
            all: wanted.all,
            tokens: wanted.tokens,
            repeats: wanted.repeats,
            chunk: setup.chunk,
            fused: if setup.fused { FUSED_TOKENS } else { 0 },
            activations: (options.activations, options.activations),
            kv: (options.kv, options.kv),
            with_inputs: wanted.with_inputs,
            until: Some(until),
        };
        let mut report = diverge(&graph, &mut cpu, gpu.as_mut(), &ids, &compared, progress, cancel)?;
        #[cfg(feature = "inject")]
        {
            report.inject = options.gpu.inject.as_ref().map(ToString::to_string);
        }
        if !wanted.with_ids {
            (report.tokens.a, report.tokens.b) = (Vec::new(), Vec::new());
        }
        // A report is sent; nobody reads shaders in it that its sender's version has.
        report.kernels.clear();
        let replay = report.replay.take();
        let model = path.as_ref().file_name().unwrap_or(path.as_ref().as_os_str()).to_string_lossy();
        let model_sha256 = gguf.sha256();
        Ok(DivergenceReport {
            page: trace::page(&report, &model, &model_sha256, &tokenizer)?,
            replay,
            report,
            prompt_ids: wanted.with_ids.then_some(ids),
            model_sha256,
            precision: options.gpu.precision.clone(),
            kinglet: env!("CARGO_PKG_VERSION"),
            wgpu: WGPU,
        })
    }
}

/// The first ids of a text.
pub(super) fn encode(tokenizer: &Tokenizer, text: &str, most: usize) -> Result<Vec<u32>> {
    let bos = tokenizer.bos().filter(|_| tokenizer.adds_bos());
    let mut ids: Vec<u32> = bos.into_iter().collect();
    ids.extend(tokenizer.encode(text, Special::Plain)?);
    ids.truncate(most);
    if ids.is_empty() {
        return Err(Error::Option { name: "prompt".into(), what: "is empty; give at least one token".into() });
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_version_is_the_pinned_one() {
        let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
        let line = manifest.lines().find(|line| line.starts_with("wgpu = ")).unwrap();
        assert!(line.contains(&format!("\"={}\"", super::WGPU)), "{line}");
    }
}
