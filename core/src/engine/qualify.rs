//! What a GPU is good for with a model: found out at its first use, and kept.

use super::diagnose::encode;
use super::open::prepare_on;
use super::{DeviceChoice, Engine, Options, Qualify};
use crate::Result;
use crate::backend::cpu::{self, Cpu};
use crate::backend::gpu::{self, Adapter};
use crate::backend::{Cancel, Program, Progress};
use crate::gguf::{Gguf, hexadecimal};
use crate::graph::Graph;
use crate::guard::{Climbed, Exam, Fitness, PROMPT, Step, Subject, Verdict, Verdicts};
use crate::model;
use crate::schedule::Keep;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;
use kinglet_shaders::texts;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a GPU came to.
#[derive(Clone, Debug, Serialize)]
pub struct Qualification {
    /// What it is good for.
    pub verdict: Fitness,
    /// What was replaced, in order.
    pub ladder: Vec<Step>,
    /// Whether this was known from an earlier time, and nothing ran.
    pub cached: bool,
    /// The GPU.
    pub adapter: String,
    /// Its driver and version.
    pub driver: String,
    /// Nodes and tokens that it computed now.
    pub runs: usize,
    /// How long that took, the CPU's part of it, and loading, among it.
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub time: Duration,
}

fn milliseconds<S: serde::Serializer>(time: &Duration, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64() * 1e3)
}

/// What an exam's prompt is the beginning of.
const TEXT: &str = "Your parcel was left at 7:45 with Mrs. Grünwald, 3rd floor. Please collect it before Friday; the \
                    number is #4821-X. Reply STOP to end these messages. Thank you for ordering from us!";

impl Engine {
    /// Asks the GPU that the options choose for every kernel of the model, on the model's own values and on made-up ones,
    /// several times each, and for a few tokens; compares all with the CPU's, and replaces what is wrong. The outcome is
    /// kept in [`GpuOptions::cache`](super::GpuOptions::cache) and read from there the next time, until the device, its
    /// driver, the kernels, the model or the options change. [`DeviceChoice::Auto`] does the same by itself.
    ///
    /// `progress` is told questions answered, of all. It prepares one device after the other for itself and frees them at
    /// the end.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), [`Error::NoGpu`](crate::Error::NoGpu), and
    /// [`Error::Cancelled`](crate::Error::Cancelled). What the GPU gets wrong is no error.
    pub fn qualify(
        path: impl AsRef<Path>,
        options: &Options,
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<Qualification> {
        let started = Instant::now();
        let gguf = Gguf::open(path.as_ref())?;
        let (config, graph) = model::graph(&gguf)?;
        options.validate(&config)?;
        let weights = Weights::find(&gguf, &graph)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let candidate = Candidate { gguf: &gguf, graph: &graph, weights: &weights, tokenizer: &tokenizer, options };
        let subject = candidate.subject(&gpu::adapters())?;
        let (verdict, cached, runs) = if let Some(verdict) = candidate.kept(&subject) {
            (verdict, true, 0)
        } else {
            let asked = candidate.ask(subject, progress, cancel)?;
            candidate.keep(&asked.verdict);
            (asked.verdict, false, asked.runs)
        };
        let Verdict { subject: Subject { adapter, driver, .. }, fitness, ladder, .. } = verdict;
        Ok(Qualification { verdict: fitness, ladder, cached, adapter, driver, runs, time: started.elapsed() })
    }
}

/// A model that a GPU may run.
pub(super) struct Candidate<'a> {
    pub(super) gguf: &'a Gguf,
    pub(super) graph: &'a Graph,
    pub(super) weights: &'a Weights,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) options: &'a Options,
}

/// What asking came to.
pub(super) struct Asked {
    pub(super) verdict: Verdict,
    /// The device, if it is good for anything.
    pub(super) program: Option<Box<dyn Program>>,
    pub(super) runs: usize,
}

impl Candidate<'_> {
    /// What a verdict would be about, on a machine with these GPUs.
    pub(super) fn subject(&self, adapters: &[Adapter]) -> Result<Subject> {
        let Options { activations, schedule, kv, prefill_chunk, .. } = self.options;
        let gpu = &self.options.gpu;
        let adapter = gpu::chosen(adapters, gpu.adapter.as_deref())?;
        let tier = gpu.tier.unwrap_or(adapter.tier);
        #[cfg_attr(not(feature = "inject"), expect(unused_mut, reason = "a bad driver is another device"))]
        let mut options = format!(
            "{tier}, {activations:?}, {kv:?}, {schedule:?}, chunks of {prefill_chunk}, without {:?}, {:?}",
            gpu.deny, gpu.precision
        );
        #[cfg(feature = "inject")]
        if let Some(inject) = &gpu.inject {
            options.push_str(&format!(", {inject}"));
        }
        let mut kernels = Sha256::new();
        texts().for_each(|text| kernels.update(text));
        Ok(Subject {
            adapter: adapter.name.clone(),
            driver: adapter.driver.clone(),
            kernels: hexadecimal(&kernels.finalize()),
            model: hexadecimal(&self.gguf.fingerprint()),
            options,
            kinglet: env!("CARGO_PKG_VERSION").into(),
        })
    }

    fn verdicts(&self) -> Verdicts<'_> {
        Verdicts::within(self.options.gpu.cache.as_deref())
    }

    /// What is known.
    pub(super) fn kept(&self, subject: &Subject) -> Option<Verdict> {
        if self.options.gpu.qualify == Qualify::Once { self.verdicts().find(subject) } else { None }
    }

    /// Makes a verdict known.
    pub(super) fn keep(&self, verdict: &Verdict) {
        self.verdicts().keep(verdict);
    }

    /// Lets the CPU set an exam and the GPU sit it.
    pub(super) fn ask(
        &self,
        subject: Subject,
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<Asked> {
        let verdicts = self.verdicts();
        let (mut flag, crash) = verdicts.raise(&subject).unzip();
        let (climbed, go_on) = match crash.flatten() {
            Some(crash) => Climbed::after_a_crash(crash),
            None => (Climbed::default(), true),
        };
        if !go_on {
            return Ok(Asked::new(subject, climbed));
        }
        let exam = self.exam(cancel)?;
        let mut prepare = |deny: &[String]| self.on_gpu(deny, &mut |_, _| cancel.check());
        let mut watch = |ladder: &[Step], kernels: &[String], done: usize, all: usize| {
            if let Some(flag) = &mut flag {
                flag.say(ladder, kernels);
            }
            progress(done, all);
        };
        Ok(Asked::new(subject, climbed.climb(&exam, &mut prepare, &mut watch, cancel)?))
    }

    /// What the CPU answers.
    fn exam(&self, cancel: &Cancel) -> Result<Exam> {
        let Options { activations, kv, prefill_chunk, .. } = *self.options;
        let chunk = prefill_chunk.min(PROMPT);
        let options = cpu::Options {
            threads: self.options.threads(),
            chunk,
            activations,
            kv,
            plain: true,
            keep: Keep::All,
            isa: cpu::Isa::best(),
        };
        let mut cpu = Cpu::prepare(self.graph.clone(), self.weights.clone(), options, &mut |_, _| cancel.check())?;
        let ids = encode(self.tokenizer, TEXT, PROMPT)?;
        Exam::set(self.graph, self.weights, activations, chunk, &mut cpu, &ids, cancel)
    }

    /// The GPU without these kernels.
    pub(super) fn on_gpu(&self, deny: &[String], progress: &mut Progress<'_>) -> Result<Box<dyn Program>> {
        let mut options = self.options.clone();
        options.gpu.deny.extend_from_slice(deny);
        prepare_on(DeviceChoice::Gpu, self.graph.clone(), self.weights.clone(), &options, progress)
    }
}

impl Asked {
    fn new(subject: Subject, climbed: Climbed) -> Self {
        let Climbed { program, ladder, runs } = climbed;
        let fitness = match &program {
            None => Fitness::Cpu,
            Some(_) if ladder.is_empty() => Fitness::Good,
            Some(_) => Fitness::Replaced,
        };
        Self { verdict: Verdict { subject, fitness, ladder, timing: None }, program, runs }
    }
}
