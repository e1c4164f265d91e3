//! How to open a model and how to choose tokens: records whose defaults are the core's.

use crate::{KingletError, Result};
use kinglet::backend::gpu::Tier;
use kinglet::{Activations, DeviceChoice, Effort, KvType, Meanwhile, Qualify, Schedule};

/// Where to run.
#[uniffi::remote(Enum)]
pub enum DeviceChoice {
    /// The fastest that can be trusted.
    Auto,
    /// The readable f32 interpreter, for comparisons.
    Reference,
    /// Packed integers, vectors, threads.
    Cpu,
    /// Kernels on a GPU, whatever it is.
    Gpu,
}

/// How activations enter products.
#[uniffi::remote(Enum)]
pub enum Activations {
    /// 16 bits with one scale for every 32: near f32.
    Int16,
    /// 8 bits with one scale for every 32: faster prefill.
    Int8,
    /// As they are, on a GPU: slower than integers on most.
    F32,
}

/// How keys and values are stored.
#[uniffi::remote(Enum)]
pub enum KvType {
    /// Half the memory.
    F16,
    /// As computed.
    F32,
}

/// Which nodes of the graph run together.
#[uniffi::remote(Enum)]
pub enum Schedule {
    /// As many as a device can.
    Fused,
    /// Each alone, to compare with.
    Plain,
}

/// When a GPU has to show that it is right before `Auto` takes it.
#[uniffi::remote(Enum)]
pub enum Qualify {
    /// At its first use, and after its driver, the kernels or the model changed.
    Once,
    /// Now, whatever is known.
    Again,
    /// Not at all.
    Never,
}

/// What runs do while the GPU may not work.
#[uniffi::remote(Enum)]
pub enum Meanwhile {
    /// They wait until it may, or until they are cancelled.
    Wait,
    /// They end with `Suspended`; under `Auto` they go on on the CPU.
    Leave,
}

/// A part of a device's power. Answers are the same with each.
#[uniffi::remote(Enum)]
pub enum Effort {
    /// All of it.
    Full,
    /// Half of the threads, prompts in parts half as large, and as much rest as work.
    Half,
    /// A quarter of the threads, prompts in parts a quarter as large, and three times as much rest as work.
    Quarter,
}

/// How to open a model. What is left out is as the core thinks best.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct EngineOptions {
    /// Where to run; `Auto` by default.
    #[uniffi(default = None)]
    pub device: Option<DeviceChoice>,
    /// CPU threads; by default one a processor, at most 4.
    #[uniffi(default = None)]
    pub threads: Option<u32>,
    /// Positions of a session, prompt and answer together; by default the model's, at most 4096.
    #[uniffi(default = None)]
    pub context: Option<u32>,
    /// Tokens of a prompt that are computed together; 64 by default.
    #[uniffi(default = None)]
    pub prefill_chunk: Option<u32>,
    /// How activations enter products; `Int16` by default.
    #[uniffi(default = None)]
    pub activations: Option<Activations>,
    /// How keys and values are stored; `F16` by default.
    #[uniffi(default = None)]
    pub kv: Option<KvType>,
    /// Which nodes run together; `Fused` by default.
    #[uniffi(default = None)]
    pub schedule: Option<Schedule>,
    /// A chat template (Jinja) instead of the file's.
    #[uniffi(default = None)]
    pub chat_template: Option<String>,
    /// How a GPU is used.
    #[uniffi(default)]
    pub gpu: GpuOptions,
}

/// How a GPU is used, where one is.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct GpuOptions {
    /// A part of the adapter's name; by default the best adapter is taken.
    #[uniffi(default = None)]
    pub adapter: Option<String>,
    /// What kernels may lean on, 0 to 2; the adapter's own by default.
    #[uniffi(default = None)]
    pub tier: Option<u8>,
    /// Kernels, by their names or beginnings of names, that something plainer is run for.
    #[uniffi(default)]
    pub deny: Vec<String>,
    /// Whether the GPU must show that it is right before `Auto` takes it; `Once` by default.
    #[uniffi(default = None)]
    pub qualify: Option<Qualify>,
    /// A folder where compiled kernels, and what the GPU was found to be good for, are kept; the app's cache folder.
    /// Nowhere by default.
    #[uniffi(default = None)]
    pub cache_folder: Option<String>,
    /// The device is lost after so many submissions, to try out what an app does then.
    #[uniffi(default = None)]
    pub lose_after: Option<u32>,
    /// A kernel that is wrong, as in `zeros@blk.3.ffn_down`, to try out what an app does then. An error in a library that
    /// was built for users.
    #[uniffi(default = None)]
    pub inject: Option<String>,
}

impl EngineOptions {
    pub(crate) fn core(&self) -> Result<kinglet::Options> {
        let own = kinglet::Options::default();
        let gpu = &self.gpu;
        let tier = gpu.tier.map(|number| {
            let wrong = || KingletError::option("tier", format!("is {number}; give 0, 1 or 2"));
            Tier::of(number).ok_or_else(wrong)
        });
        #[cfg(not(feature = "inject"))]
        if gpu.inject.is_some() {
            return Err(KingletError::option(
                "inject",
                "is given, but this library was built without faults; build it with its feature inject",
            ));
        }
        Ok(kinglet::Options {
            device: self.device.unwrap_or(own.device),
            threads: self.threads.map(|n| n as usize).or(own.threads),
            prefill_chunk: self.prefill_chunk.map_or(own.prefill_chunk, |n| n as usize),
            activations: self.activations.unwrap_or(own.activations),
            schedule: self.schedule.unwrap_or(own.schedule),
            kv: self.kv.unwrap_or(own.kv),
            context: self.context.map(|n| n as usize).or(own.context),
            chat_template: self.chat_template.clone().or(own.chat_template),
            gpu: kinglet::GpuOptions {
                adapter: gpu.adapter.clone(),
                tier: tier.transpose()?,
                deny: gpu.deny.clone(),
                qualify: gpu.qualify.unwrap_or(own.gpu.qualify),
                cache: gpu.cache_folder.as_ref().map(Into::into),
                lose_after: gpu.lose_after.map(|n| n as usize),
                #[cfg(feature = "inject")]
                inject: gpu.inject.as_ref().map(|inject| inject.parse()).transpose()?,
                ..own.gpu
            },
        })
    }
}

/// How tokens are chosen, and when to stop. Filters work in this order: bias, penalties, temperature, top-k, top-p,
/// min-p. The defaults suit instruct models of 100 million to 1 billion parameters.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Sampling {
    /// Divides the logits; 0 takes the largest one always.
    #[uniffi(default = 0.3)]
    pub temperature: f32,
    /// Keeps the `k` largest; 0 keeps all.
    #[uniffi(default = 40)]
    pub top_k: u32,
    /// Keeps the fewest of the most probable that reach this sum; 1 keeps all.
    #[uniffi(default = 0.95)]
    pub top_p: f32,
    /// Keeps those with at least this part of the largest probability; 0 keeps all.
    #[uniffi(default = 0.05)]
    pub min_p: f32,
    /// Divides a positive and multiplies a negative logit of a token that the answer has; 1 does nothing.
    #[uniffi(default = 1.0)]
    pub repetition_penalty: f32,
    /// Subtracted from the logit of a token that the answer has.
    #[uniffi(default = 0.0)]
    pub presence_penalty: f32,
    /// Subtracted from a token's logit for each time that the answer has it.
    #[uniffi(default = 0.0)]
    pub frequency_penalty: f32,
    /// How many of the answer's last tokens the penalties look at.
    #[uniffi(default = 64)]
    pub penalty_window: u32,
    /// Added to logits.
    #[uniffi(default)]
    pub logit_bias: Vec<TokenBias>,
    /// The same seed gives the same choices from the same logits.
    #[uniffi(default = 0)]
    pub seed: u64,
    /// The most tokens to generate.
    #[uniffi(default = 512)]
    pub max_tokens: u32,
    /// The fewest tokens to generate before the model may end the text.
    #[uniffi(default = 0)]
    pub min_tokens: u32,
    /// The text ends before the first of these.
    #[uniffi(default)]
    pub stop: Vec<String>,
}

/// What is added to one token's logit.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct TokenBias {
    /// The token.
    pub id: u32,
    /// What is added.
    pub bias: f32,
}

/// A sampling that has proven itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Preset {
    /// For conversations: what `Sampling()` is.
    Standard,
    /// Always the most probable token.
    Greedy,
    /// For tasks that stay close to their text.
    Faithful,
    /// For suggestions that are to differ from each other.
    Varied,
}

/// The sampling of a preset, to be changed or used as it is.
#[uniffi::export]
pub fn sampling(preset: Preset) -> Sampling {
    match preset {
        Preset::Standard => kinglet::Sampling::default(),
        Preset::Greedy => kinglet::Sampling::greedy(),
        Preset::Faithful => kinglet::Sampling::faithful(),
        Preset::Varied => kinglet::Sampling::varied(),
    }
    .into()
}

impl From<kinglet::Sampling> for Sampling {
    fn from(own: kinglet::Sampling) -> Self {
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            temperature: own.temperature,
            top_k: short(own.top_k),
            top_p: own.top_p,
            min_p: own.min_p,
            repetition_penalty: own.repetition_penalty,
            presence_penalty: own.presence_penalty,
            frequency_penalty: own.frequency_penalty,
            penalty_window: short(own.penalty_window),
            logit_bias: own.logit_bias.into_iter().map(|(id, bias)| TokenBias { id, bias }).collect(),
            seed: own.seed,
            max_tokens: short(own.max_tokens),
            min_tokens: short(own.min_tokens),
            stop: own.stop,
        }
    }
}

impl From<Sampling> for kinglet::Sampling {
    fn from(given: Sampling) -> Self {
        Self {
            temperature: given.temperature,
            top_k: given.top_k as usize,
            top_p: given.top_p,
            min_p: given.min_p,
            repetition_penalty: given.repetition_penalty,
            presence_penalty: given.presence_penalty,
            frequency_penalty: given.frequency_penalty,
            penalty_window: given.penalty_window as usize,
            logit_bias: given.logit_bias.into_iter().map(|one| (one.id, one.bias)).collect(),
            seed: given.seed,
            max_tokens: given.max_tokens as usize,
            stop: given.stop,
            min_tokens: given.min_tokens as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_left_out_is_the_cores() {
        assert_eq!(EngineOptions::default().core().unwrap(), kinglet::Options::default());
        let wrong = EngineOptions { gpu: GpuOptions { tier: Some(3), ..GpuOptions::default() }, ..Default::default() };
        assert_eq!(wrong.core().unwrap_err().to_string(), "option tier: is 3; give 0, 1 or 2");
    }

    #[test]
    fn presets_survive_the_way_there_and_back() {
        for own in [kinglet::Sampling::default(), kinglet::Sampling::varied(), kinglet::Sampling::greedy()] {
            assert_eq!(kinglet::Sampling::from(Sampling::from(own.clone())), own);
        }
        assert_eq!(sampling(Preset::Faithful).max_tokens, u32::MAX);
    }
}
