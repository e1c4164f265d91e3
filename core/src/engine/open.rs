//! From a file to an engine.

use super::qualify::Candidate;
use super::{DeviceChoice, Engine, Inner, Options, Schedule, auto};
#[cfg(feature = "inject")]
use crate::backend::bad::Bad;
use crate::backend::cpu::{self, Cpu};
use crate::backend::gpu::{self, Gpu};
use crate::backend::reference::Reference;
use crate::backend::relay::Prepare;
use crate::backend::{Cancel, Program, Progress};
use crate::chat::ChatTemplate;
use crate::gguf::Gguf;
use crate::graph::Graph;
use crate::model;
use crate::schedule::Keep;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;
use crate::{Error, Result};
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

pub(super) fn open(
    path: &Path,
    options: &Options,
    progress: &mut dyn FnMut(usize, usize),
    cancel: &Cancel,
) -> Result<Engine> {
    cancel.check()?;
    let progress: &mut Progress<'_> = &mut |done, all| {
        progress(done, all);
        cancel.check()
    };
    let gguf = Gguf::open(path)?;
    assemble(gguf.clone(), options, |graph, weights, tokenizer| {
        cancel.check()?;
        if options.device == DeviceChoice::Auto {
            return auto::choose(
                &Candidate { gguf: &gguf, graph: &graph, weights: &weights, tokenizer, options },
                progress,
                cancel,
            );
        }
        let witness = (options.device == DeviceChoice::Gpu).then(|| on_cpu(&graph, &weights, options));
        Ok(Chosen { witness, ..Chosen::asked(prepare_on(options.device, graph, weights, options, progress)?) })
    })
}

/// A program, and why it is this one.
pub(crate) struct Chosen {
    pub(crate) program: Box<dyn Program>,
    pub(crate) why: String,
    /// Makes the device to ask where the program's is doubted.
    pub(crate) witness: Option<Prepare>,
    /// Whether it has passed an exam.
    pub(crate) qualified: bool,
}

impl Chosen {
    /// The one that was asked for.
    pub(crate) fn asked(program: Box<dyn Program>) -> Self {
        Self { program, why: "it was asked for".into(), witness: None, qualified: false }
    }
}

/// Makes a program for the CPU when it is needed.
pub(super) fn on_cpu(graph: &Graph, weights: &Weights, options: &Options) -> Prepare {
    let (graph, weights, options) = (graph.clone(), weights.clone(), options.clone());
    Box::new(move |cancel| {
        let progress: &mut Progress<'_> = &mut |_, _| cancel.check();
        prepare_on(DeviceChoice::Cpu, graph.clone(), weights.clone(), &options, progress)
    })
}

/// The one place that knows which devices there are.
pub(super) fn prepare_on(
    device: DeviceChoice,
    graph: Graph,
    weights: Weights,
    options: &Options,
    progress: &mut Progress<'_>,
) -> Result<Box<dyn Program>> {
    match device {
        DeviceChoice::Auto | DeviceChoice::Cpu => {
            let options = cpu::Options {
                threads: options.threads(),
                chunk: options.prefill_chunk,
                activations: options.activations,
                kv: options.kv,
                plain: options.schedule == Schedule::Plain,
                keep: Keep::Logits,
                isa: cpu::Isa::best(),
            };
            Ok(Box::new(Cpu::prepare(graph, weights, options, progress)?))
        }
        DeviceChoice::Gpu => prepare_gpu(graph, weights, options, progress),
        DeviceChoice::Reference => {
            Ok(Box::new(Reference::prepare(graph, weights, options.threads(), options.prefill_chunk)?))
        }
    }
}

fn prepare_gpu(
    graph: Graph,
    weights: Weights,
    options: &Options,
    progress: &mut Progress<'_>,
) -> Result<Box<dyn Program>> {
    let gpu_options = gpu::Options {
        adapter: options.gpu.adapter.clone(),
        tier: options.gpu.tier,
        threads: options.threads(),
        chunk: options.prefill_chunk,
        activations: options.activations,
        kv: options.kv,
        plain: options.schedule == Schedule::Plain,
        keep: Keep::Logits,
        deny: options.gpu.deny.clone(),
        precision: options.gpu.precision.clone(),
        cache: options.gpu.cache.clone(),
        lose_after: options.gpu.lose_after,
    };
    #[cfg(feature = "inject")]
    if let Some(inject) = &options.gpu.inject {
        let gpu_options = gpu::Options { plain: true, keep: Keep::All, ..gpu_options };
        let gpu = Box::new(Gpu::prepare(graph.clone(), weights, gpu_options, progress)?);
        return Ok(Box::new(Bad::new(gpu, graph, inject.clone(), options.prefill_chunk)?));
    }
    Ok(Box::new(Gpu::prepare(graph, weights, gpu_options, progress)?))
}

/// Answers of a qualified device before the first that is checked.
const UNAUDITED: usize = 7;

/// An engine around the program that `prepare` makes.
pub(crate) fn assemble(
    gguf: Gguf,
    options: &Options,
    prepare: impl FnOnce(Graph, Weights, &Tokenizer) -> Result<Chosen>,
) -> Result<Engine> {
    // Before the tokenizer, whose tables take more memory than anything else that a wrong file could ask for.
    let (config, graph) = model::graph(&gguf)?;
    options.validate(&config)?;
    let weights = Weights::find(&gguf, &graph)?;
    let tokenizer = Tokenizer::from_gguf(&gguf)?;
    if tokenizer.vocab_size() != config.vocab {
        return Err(Error::Metadata {
            key: "tokenizer.ggml.tokens".into(),
            what: format!(
                "has {} tokens, but the model computes {}; convert or download the model again",
                tokenizer.vocab_size(),
                config.vocab
            ),
        });
    }
    let chat = match &options.chat_template {
        Some(source) => ChatTemplate::new(source, &tokenizer)?,
        None => ChatTemplate::from_gguf(&gguf, &tokenizer)?,
    };
    let Chosen { program, why, witness, qualified } = prepare(graph, weights, &tokenizer)?;
    Ok(Engine(Arc::new(Inner {
        context: options.context(&config),
        kv: options.kv,
        activations: options.activations,
        chunk: options.prefill_chunk,
        effort: Mutex::default(),
        witness: witness.map(Mutex::new),
        // Who asks for a GPU by name measures it, and wants no other device's weights in memory without need.
        audits: options.device == DeviceChoice::Auto,
        // Who has shown that it is right need not show it again at once.
        answers: AtomicUsize::new(if qualified { UNAUDITED } else { 0 }),
        device: Mutex::new(program.device()),
        why,
        gate: program.gate(),
        switches: Mutex::default(),
        memory: program.memory(options.context(&config)),
        gguf,
        config,
        tokenizer,
        chat,
        program: Mutex::new(program),
    })))
}
