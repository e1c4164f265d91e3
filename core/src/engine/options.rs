//! How to open a model.

use crate::backend::gpu::Tier;
use crate::graph::PrecisionPlan;
use crate::model::Config;
pub use crate::precision::{Activations, KvType};
use crate::{Error, Result};
use std::path::PathBuf;

/// Where to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The fastest that can be trusted.
    #[default]
    Auto,
    /// The readable f32 interpreter.
    Reference,
    /// Packed integers, SIMD, threads.
    Cpu,
    /// WGSL kernels on a GPU, whatever it is.
    Gpu,
}

/// How the GPU is used, where one is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuOptions {
    /// A part of the adapter's name. Without it the best one is taken; with [`DeviceChoice::Auto`] the named one is used,
    /// however slow, even if it is a software rasteriser, for as long as it is right.
    pub adapter: Option<String>,
    /// What kernels may lean on; the adapter's own tier by default.
    pub tier: Option<Tier>,
    /// Kernels, by their names or beginnings of names, that something plainer is run for: the plain calls for fused ones,
    /// all logits for the best, for others the variant of tier 0.
    pub deny: Vec<String>,
    /// What may be stored in less than f32.
    pub precision: PrecisionPlan,
    /// Whether the GPU must show that it is right before [`DeviceChoice::Auto`] takes it.
    pub qualify: Qualify,
    /// A folder where compiled kernels, and what the GPU was found to be good for, are kept for the next start; an app's
    /// cache folder. Nowhere by default.
    pub cache: Option<PathBuf>,
    /// The device is lost after so many submissions, to try out what an app does then.
    pub lose_after: Option<usize>,
    /// One node's output is spoilt, to try out what is noticed; the kernels then run one by one.
    #[cfg(feature = "inject")]
    pub inject: Option<crate::backend::bad::Inject>,
}

/// When a GPU is asked for every kernel of the model, and its answers compared with the CPU's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qualify {
    /// At its first use, and after its driver, the kernels or the model changed.
    #[default]
    Once,
    /// Now, whatever is known.
    Again,
    /// Not at all.
    Never,
}

/// Which nodes of the graph run together. The reference device always runs each alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// As many as a device can.
    #[default]
    Fused,
    /// Each alone, to compare with.
    Plain,
}

/// How to open a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where to run.
    pub device: DeviceChoice,
    /// CPU threads. By default one for every processor that this process may use, at most 4: phones seldom have more
    /// fast cores, and one slow core holds all others up.
    pub threads: Option<usize>,
    /// Tokens of a prompt that are computed together. More is faster up to some point and takes more memory. Default 64.
    pub prefill_chunk: usize,
    /// How activations enter integer products. The reference device computes in f32 and ignores it.
    pub activations: Activations,
    /// Which nodes run together.
    pub schedule: Schedule,
    /// How a GPU is used.
    pub gpu: GpuOptions,
    /// How keys and values are stored. The reference device always takes f32.
    pub kv: KvType,
    /// Positions of a session, prompt and answer together; by default the model's, at most 4,096.
    pub context: Option<usize>,
    /// A chat template instead of the file's; see [`ChatTemplate::new`](crate::chat::ChatTemplate::new).
    pub chat_template: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: DeviceChoice::default(),
            threads: None,
            prefill_chunk: 64,
            activations: Activations::default(),
            schedule: Schedule::default(),
            gpu: GpuOptions::default(),
            kv: KvType::default(),
            context: None,
            chat_template: None,
        }
    }
}

/// Positions of a session unless the caller says otherwise.
const DEFAULT_CONTEXT: usize = 4096;
/// Threads unless the caller says otherwise.
const DEFAULT_THREADS: usize = 4;
/// More threads than any phone has cores are a mistake.
const MOST_THREADS: usize = 256;
/// A chunk's activations are held in memory.
const MOST_CHUNK: usize = 4096;

impl Options {
    /// Threads to run with.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(DEFAULT_THREADS)
        })
    }

    /// Positions of a session of that model.
    pub fn context(&self, config: &Config) -> usize {
        self.context.unwrap_or(config.context.min(DEFAULT_CONTEXT))
    }

    /// Whether the options make sense for a model; [`Error::Option`] names the first that does not.
    pub fn validate(&self, config: &Config) -> Result<()> {
        within("threads", self.threads(), 1, MOST_THREADS)?;
        within("prefill_chunk", self.prefill_chunk, 1, MOST_CHUNK)?;
        within("context", self.context(config), 1, config.context)
    }
}

fn within(name: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Option { name: name.into(), what: format!("is {value}; give {least} to {most}") })
}
