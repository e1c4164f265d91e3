//! Facts about models, memory and devices.

use crate::worker::aside;
use crate::{EngineOptions, Result, Work};
use kinglet::backend::gpu::{Adapter, adapters};
use kinglet::backend::{Device, Memory};
use kinglet::chat::ChatTemplate;
use kinglet::gguf::Gguf;
use kinglet::tokenizer::Tokenizer;
use std::path::Path;

/// A model file.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ModelInfo {
    /// The file's own name for the model (`general.name`), if it has one.
    pub name: Option<String>,
    /// Its family (`general.architecture`).
    pub architecture: String,
    /// Numbers in all tensors.
    pub parameters: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Decoder layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub width: u32,
    /// Tokens in the vocabulary.
    pub vocab: u32,
    /// Positions that the model was trained for. A session has as many as the options say.
    pub trained_context: u32,
    /// Whether the file or the options give a chat template. Without one the family's usual one stands in, and the model
    /// may never have been tuned to converse.
    pub has_chat_template: bool,
}

impl ModelInfo {
    pub(crate) fn of(gguf: &Gguf, config: &kinglet::model::Config, chat: &ChatTemplate) -> Result<Self> {
        let numbers = |shape: &[usize]| shape.iter().fold(1_u64, |all, n| all.saturating_mul(*n as u64));
        Ok(Self {
            name: gguf.metadata().str("general.name")?.map(str::to_owned),
            architecture: config.architecture.into(),
            parameters: gguf.tensors().iter().map(|tensor| numbers(&tensor.shape)).fold(0, u64::saturating_add),
            file_bytes: gguf.len() as u64,
            layers: config.layers as u32,
            width: config.width as u32,
            vocab: config.vocab as u32,
            trained_context: config.context as u32,
            has_chat_template: !chat.is_assumed(),
        })
    }
}

/// Bytes that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MemoryPlan {
    /// Weights as the device holds them.
    pub weights: u64,
    /// Keys and values of one session at full context.
    pub kv: u64,
    /// Intermediate values.
    pub scratch: u64,
    /// All of it.
    pub total: u64,
}

impl From<Memory> for MemoryPlan {
    fn from(memory: Memory) -> Self {
        Self {
            weights: memory.weights as u64,
            kv: memory.kv as u64,
            scratch: memory.scratch as u64,
            total: memory.total() as u64,
        }
    }
}

/// What runs a model.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeviceInfo {
    /// `reference`, `cpu` or `gpu`.
    pub kind: String,
    /// Instruction set or adapter, threads, precision: for people.
    pub detail: String,
    /// Why the model was opened on its first device.
    pub reason: String,
}

impl DeviceInfo {
    pub(crate) fn of(engine: &kinglet::Engine) -> Self {
        let Device { kind, detail, .. } = engine.device();
        Self { kind: kind.into(), detail, reason: engine.device_reason().into() }
    }
}

/// A GPU, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GpuInfo {
    /// What its driver calls it.
    pub name: String,
    /// Driver and version.
    pub driver: String,
    /// `vulkan` or `metal`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: String,
    /// What kernels lean on there, 0 to 2.
    pub tier: u8,
    /// What it offers of what Kinglet can use.
    pub features: Vec<String>,
    /// The most bytes of one binding.
    pub max_binding_bytes: u64,
    /// Whether it can be used.
    pub usable: bool,
    /// Whether `Auto` would try it.
    pub auto: bool,
    /// Why it cannot be used, or why `Auto` leaves it.
    pub reason: Option<String>,
}

impl From<Adapter> for GpuInfo {
    fn from(adapter: Adapter) -> Self {
        Self {
            backend: adapter.backend.into(),
            kind: adapter.kind.into(),
            tier: adapter.tier.number(),
            features: adapter.features.iter().map(|&feature| feature.to_owned()).collect(),
            max_binding_bytes: adapter.max_binding_bytes,
            usable: adapter.refused.is_none(),
            auto: adapter.refused.is_none() && adapter.avoided.is_none(),
            reason: adapter.refused.or(adapter.avoided),
            name: adapter.name,
            driver: adapter.driver,
        }
    }
}

/// Kinglet's version.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// What a model would take in memory with these options, from the file's header alone: nothing is loaded.
#[uniffi::export(default(options))]
pub async fn plan(path: String, options: EngineOptions) -> Result<MemoryPlan> {
    let options = options.core()?;
    aside(&Work::new(), move |_| Ok(kinglet::Engine::plan(path, &options)?.into()))?.get().await
}

/// What a file holds; its weights are not read.
#[uniffi::export]
pub async fn inspect(path: String) -> Result<ModelInfo> {
    let read = move |_: &Work| {
        let gguf = Gguf::open(Path::new(&path))?;
        let (config, tokenizer) = (kinglet::model::config(&gguf)?, Tokenizer::from_gguf(&gguf)?);
        ModelInfo::of(&gguf, &config, &ChatTemplate::from_gguf(&gguf, &tokenizer)?)
    };
    aside(&Work::new(), read)?.get().await
}

/// The GPUs of this device, the best first. None is no error.
#[uniffi::export]
pub async fn devices() -> Result<Vec<GpuInfo>> {
    aside(&Work::new(), |_| Ok(adapters().into_iter().map(GpuInfo::from).collect()))?.get().await
}
