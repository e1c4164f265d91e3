//! Options that commands share.

use crate::app::App;
use crate::failure::Failure;
use crate::plan::Plan;
use crate::{input, models, progress};
use clap::{Args, ValueEnum};
use kinglet::backend::bad::Inject;
use kinglet::backend::gpu::Tier;
use kinglet::engine::{Activations, DeviceChoice, Engine, GpuOptions, KvType, Options, Qualify, Schedule};
use kinglet::gguf::Gguf;
use kinglet::graph::PrecisionPlan;
use kinglet::tokenizer::Tokenizer;
use kinglet::trace::Setup;
use std::path::PathBuf;

/// Which model, and how to run it.
#[derive(Args, Debug)]
pub struct ModelArgs {
    /// GGUF file, or the short name of a downloaded model: smollm2, gemma3-270m
    #[arg(short, long, env = "KINGLET_MODEL", value_name = "FILE|NAME", help_heading = "Model")]
    pub model: PathBuf,

    /// Where to run: `cpu` is fast, `gpu` runs WGSL kernels, `reference` is plain f32 loops to compare with, `auto` takes
    /// a hardware GPU where it says the same as the CPU and is faster, else the CPU
    #[arg(long, value_enum, default_value_t, help_heading = "Model")]
    pub device: DeviceArg,

    /// CPU threads; by default one for each performance core. The result never depends on it
    #[arg(long, value_name = "N", value_parser = positive, help_heading = "Model")]
    pub threads: Option<usize>,

    /// Prompt tokens computed at once: larger is faster and takes more memory. The result never depends on it
    #[arg(long, value_name = "TOKENS", value_parser = positive, help_heading = "Model")]
    pub prefill_chunk: Option<usize>,

    /// How activations enter integer products: `int16` is near f32, `int8` reads prompts faster
    #[arg(long, value_enum, default_value_t, help_heading = "Model")]
    pub activations: ActivationsArg,

    /// Which operations run together: `fused` is fast, `plain` runs each alone, to see which one is wrong
    #[arg(long, value_enum, default_value_t, help_heading = "Model")]
    pub schedule: ScheduleArg,

    /// What GPU kernels may lean on: 0 nothing but f32 and u32, 1 integer dot products, 2 subgroups; by default the
    /// adapter's own tier (see `devices`)
    #[arg(long, value_name = "0|1|2", value_parser = tier, help_heading = "Model")]
    pub gpu_tier: Option<Tier>,

    /// A part of the GPU's name as `devices` lists it. With --device auto: that GPU unmeasured, and the CPU where it fails
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub gpu_adapter: Option<String>,

    /// Run something plainer for this kernel, or for all whose names begin so (`stage`, `matmul_tile`); see `bench
    /// --profile` for their names. Can be given several times
    #[arg(long, value_name = "KERNEL", help_heading = "Model")]
    pub gpu_deny: Vec<String>,

    /// Whether --device auto asks the GPU for every kernel of the model first: at its first use and after its driver
    /// changed, again whatever is known, or not at all; see `devices --qualify`. Once by default, and never with --inject,
    /// which would be found before the first token
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Model")]
    pub gpu_qualify: Option<QualifyArg>,

    /// A file that `activations --plan` wrote for this model: what a GPU may store in less than f32. A plan that puts the
    /// residual stream, a norm or logits there is refused
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub gpu_precision: Option<PathBuf>,

    /// Lose the GPU after so many submissions, to see what happens then
    #[arg(long, value_name = "SUBMISSIONS", hide = true)]
    pub gpu_lose_after: Option<usize>,

    /// Spoil one node of the GPU as bad drivers do, to see what is noticed; see `diverge`
    #[arg(long, value_name = "KIND@NODE[:PROBABILITY]", hide = true)]
    pub inject: Option<Inject>,

    /// How keys and values are stored: `f16` takes half the memory of `f32`
    #[arg(long, value_enum, default_value_t, help_heading = "Model")]
    pub kv: KvArg,

    /// Tokens that prompt and answer may take together; by default the model's own limit, at most 4096
    #[arg(long, value_name = "TOKENS", value_parser = positive, help_heading = "Model")]
    pub ctx: Option<usize>,

    /// A file with a chat template (Jinja) to use instead of the model's own
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub chat_template: Option<PathBuf>,
}

/// How devices are prepared that are compared.
#[derive(Args, Debug)]
pub struct SetupArgs {
    /// CPU threads
    #[arg(long, value_name = "N", value_parser = positive)]
    threads: Option<usize>,

    /// What GPU kernels may lean on: 0, 1 or 2 (see `devices`); by default the adapter's own tier
    #[arg(long, value_name = "0|1|2", value_parser = tier)]
    gpu_tier: Option<Tier>,

    /// Run something plainer for this kernel of a GPU, or for all whose names begin so. Can be given several times
    #[arg(long, value_name = "KERNEL")]
    gpu_deny: Vec<String>,

    /// A part of the GPU's name
    #[arg(long, value_name = "NAME")]
    gpu_adapter: Option<String>,
}

impl SetupArgs {
    /// The library's setup.
    pub fn setup(&self, chunk: usize, activations: Activations, kv: KvType) -> Setup {
        Setup {
            threads: self.threads.unwrap_or_else(|| Options::default().threads()),
            chunk,
            activations,
            kv,
            adapter: self.gpu_adapter.clone(),
            tier: self.gpu_tier,
            deny: self.gpu_deny.clone(),
            fused: false,
        }
    }
}

/// `--device`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// The fastest that can be trusted
    #[default]
    Auto,
    /// Packed integers, SIMD, threads
    Cpu,
    /// WGSL kernels through Vulkan or Metal
    Gpu,
    /// Plain f32 loops: the specification
    Reference,
}

/// `--activations`
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ActivationsArg {
    /// Near f32
    #[default]
    Int16,
    /// Faster prefill
    Int8,
    /// As they are; GPU only
    F32,
}

/// `--schedule`
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ScheduleArg {
    /// As many operations at once as the device can
    #[default]
    Fused,
    /// Each alone
    Plain,
}

/// `--gpu-qualify`
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum QualifyArg {
    /// Where nothing is known
    Once,
    /// Whatever is known
    Again,
    /// Not at all
    Never,
}

impl From<QualifyArg> for Qualify {
    fn from(arg: QualifyArg) -> Self {
        match arg {
            QualifyArg::Once => Self::Once,
            QualifyArg::Again => Self::Again,
            QualifyArg::Never => Self::Never,
        }
    }
}

/// `--kv`
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum KvArg {
    /// Half the memory
    #[default]
    F16,
    /// As computed
    F32,
}

impl From<ActivationsArg> for Activations {
    fn from(arg: ActivationsArg) -> Self {
        match arg {
            ActivationsArg::Int16 => Self::Int16,
            ActivationsArg::Int8 => Self::Int8,
            ActivationsArg::F32 => Self::F32,
        }
    }
}

impl From<KvArg> for KvType {
    fn from(arg: KvArg) -> Self {
        match arg {
            KvArg::F16 => Self::F16,
            KvArg::F32 => Self::F32,
        }
    }
}

impl From<DeviceArg> for DeviceChoice {
    fn from(arg: DeviceArg) -> Self {
        match arg {
            DeviceArg::Auto => Self::Auto,
            DeviceArg::Cpu => Self::Cpu,
            DeviceArg::Gpu => Self::Gpu,
            DeviceArg::Reference => Self::Reference,
        }
    }
}

impl ModelArgs {
    /// The library's options.
    pub fn options(&self) -> Result<Options, Failure> {
        let defaults = Options::default();
        Ok(Options {
            device: self.device.into(),
            threads: self.threads,
            prefill_chunk: self.prefill_chunk.unwrap_or(defaults.prefill_chunk),
            activations: self.activations.into(),
            schedule: match self.schedule {
                ScheduleArg::Fused => Schedule::Fused,
                ScheduleArg::Plain => Schedule::Plain,
            },
            gpu: GpuOptions {
                adapter: self.gpu_adapter.clone(),
                tier: self.gpu_tier,
                qualify: self.qualify(),
                cache: models::cache().map(|folder| folder.join("kernels")),
                deny: self.gpu_deny.clone(),
                precision: self.precision()?,
                lose_after: self.gpu_lose_after,
                inject: self.inject.clone(),
            },
            kv: self.kv.into(),
            context: self.ctx,
            chat_template: self.chat_template.as_deref().map(input::read).transpose()?,
        })
    }

    /// Whether the GPU is asked first.
    fn qualify(&self) -> Qualify {
        match (self.gpu_qualify, &self.inject) {
            (Some(when), _) => when.into(),
            (None, Some(_)) => Qualify::Never,
            (None, None) => Qualify::Once,
        }
    }

    /// The plan of the file that was given; all f32 without one.
    fn precision(&self) -> Result<PrecisionPlan, Failure> {
        let Some(path) = &self.gpu_precision else { return Ok(PrecisionPlan::default()) };
        let plan = Plan::read(path)?;
        if plan.model_sha256 != Gguf::open(&self.path()?)?.sha256() {
            return Err(Failure::option(
                "--gpu-precision",
                "was measured on another model; run `activations` on this one",
            ));
        }
        Ok(plan.stored)
    }

    /// The model's file.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        models::resolve(&self.model)
    }

    /// The model's tokenizer alone.
    pub fn tokenizer(&self) -> Result<Tokenizer, Failure> {
        Ok(Tokenizer::from_gguf(&Gguf::open(&self.path()?)?)?)
    }

    /// Opens the model. Nothing is there yet to be shown, so that Ctrl-C then ends the process at once.
    pub fn open(&self, app: &App) -> Result<Engine, Failure> {
        self.open_with(app, &self.options()?)
    }

    /// Opens the model for runs of `tokens` tokens, unless `--ctx` says otherwise.
    pub fn open_for(&self, app: &App, tokens: usize) -> Result<Engine, Failure> {
        self.open_with(app, &Options { context: self.ctx.or(Some(tokens.max(1))), ..self.options()? })
    }

    /// Opens the model with other options than the command line's.
    pub fn open_with(&self, app: &App, options: &Options) -> Result<Engine, Failure> {
        let path = self.path()?;
        let bar = progress::loading(app);
        let engine = Engine::open_with(path, options, &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        Ok(engine?)
    }
}

/// A tier's number.
pub fn tier(text: &str) -> Result<Tier, String> {
    let tier = text.parse().ok().and_then(Tier::of);
    tier.ok_or_else(|| "not a tier; give 0, 1 or 2".into())
}

/// A number above zero.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".into()),
    }
}
