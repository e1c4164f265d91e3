//! `kinglet devices`: the GPUs of this machine, and what is asked of one.

use super::{corpus, qualify};
use crate::app::{App, Outcome, Ran};
use crate::args::{ActivationsArg, tier};
use crate::{models, output};
use clap::Args;
use kinglet::backend::bad::Inject;
use kinglet::backend::gpu::{self, Adapter, Tier};
use kinglet::{GpuOptions, Options, Qualify};
use serde::Serialize;
use std::path::PathBuf;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Devices {
    /// Try known bugs of drivers on one GPU, each by a small shader with a result that is known
    #[arg(long, conflicts_with = "qualify")]
    corpus: bool,

    /// Ask one GPU for every kernel of a model, compare with the CPU, replace what is wrong, and keep the verdict for
    /// `--device auto`
    #[arg(long)]
    qualify: bool,

    /// The model to qualify for: a GGUF file, or the short name of a downloaded model; without it the first of those
    #[arg(short, long, env = "KINGLET_MODEL", value_name = "FILE|NAME")]
    model: Option<PathBuf>,

    /// Ask again, whatever is known
    #[arg(long, requires = "qualify")]
    again: bool,

    /// A part of the GPU's name; without it the best one
    #[arg(long, value_name = "NAME")]
    gpu_adapter: Option<String>,

    /// What GPU kernels may lean on: 0, 1 or 2; by default the adapter's own tier
    #[arg(long, value_name = "0|1|2", value_parser = tier, requires = "qualify")]
    gpu_tier: Option<Tier>,

    /// How activations enter integer products
    #[arg(long, value_enum, default_value_t, requires = "qualify")]
    activations: ActivationsArg,

    /// Spoil one node as bad drivers do, to see what becomes of it; see `diverge`
    #[arg(long, value_name = "KIND@NODE[:PROBABILITY]", hide = true, requires = "qualify")]
    inject: Option<Inject>,
}

const HELP: &str = "\
Lists what Vulkan or Metal offers. A GPU is usable where it allows what the kernels need: 8 storage buffers a stage, 256 \
invocations and 16 KiB of workgroup memory a group, 128 MiB a storage binding.
  tier    what kernels lean on there: 0 nothing but f32 and u32, 1 integer dot products, 2 subgroups (--gpu-tier)
  reason  why a GPU cannot be used, or why `--device auto` leaves it
With --json: `adapters` [{`name`, `driver`, `backend`, `type`, `limits`, `features`, `tier`, `usable`, `auto`, `reason`}], and
`reasonNoGpu` where none can be used.

--qualify takes the best GPU, or that of --gpu-adapter, and runs each kernel that the model needs alone: on the model's own
values, on random, large and denormal ones and on zeros, in chunks of 21, 17, 3, 2 and 1 tokens, with an empty and a long
cache, three times each, and then 16 tokens with everything together. A kernel that is wrong or crashes is replaced by a
plainer one, and only where that does not help goes the model to the CPU. The verdict is kept until the GPU, its driver, the
kernels, the model or the options change; --again asks anew.
With --json: `verdict` (`good`, `replaced`, `cpu`), `ladder` [{`node`, `from`, `to`, `why`}], `cached`, `adapter`, `driver`,
`model`, `runs`, `ms`.

With --corpus each known bug is one of these, and the exit status is 0 whatever is found:
  passed   this GPU gives the right result, with wgpu's checks in the shader and without them, each time
  failed   it does not: the first word that is wrong, and whether all runs gave the same
  refused  its driver would not take the shader
  lost     the GPU was lost or did not answer; the next one runs on it opened anew
  skipped  it has not what the shader needs, so that nothing is known
A driver may end the process: with --verbose each name is logged before its shader runs, and the last one is to blame.
With --corpus --json: `device`, one of `adapters`, and `corpus` [{`name`, `outcome`, `why`, `what`, `sources`}].

Examples:
  kinglet devices
  kinglet devices --qualify -m gemma3-270m
  kinglet devices --corpus --verbose
  kinglet devices --json";

#[derive(Serialize)]
struct Answer<'a> {
    adapters: Vec<Shown<'a>>,
    #[serde(rename = "reasonNoGpu", skip_serializing_if = "Option::is_none")]
    reason_no_gpu: Option<String>,
}

/// An adapter.
#[derive(Serialize)]
pub struct Shown<'a> {
    /// What its driver calls it.
    pub name: &'a str,
    /// Driver and version.
    pub driver: &'a str,
    backend: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    limits: Limits,
    features: &'a [&'static str],
    tier: u8,
    usable: bool,
    auto: bool,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Limits {
    max_binding_bytes: u64,
    max_buffer_bytes: u64,
    max_storage_buffers: u32,
    max_invocations: u32,
    max_workgroup_bytes: u32,
    subgroup_min: u32,
    subgroup_max: u32,
}

impl<'a> From<&'a Adapter> for Shown<'a> {
    fn from(adapter: &'a Adapter) -> Self {
        Self {
            name: &adapter.name,
            driver: &adapter.driver,
            backend: adapter.backend,
            kind: adapter.kind,
            limits: Limits {
                max_binding_bytes: adapter.max_binding_bytes,
                max_buffer_bytes: adapter.max_buffer_bytes,
                max_storage_buffers: adapter.max_storage_buffers,
                max_invocations: adapter.max_invocations,
                max_workgroup_bytes: adapter.max_workgroup_bytes,
                subgroup_min: adapter.subgroup.0,
                subgroup_max: adapter.subgroup.1,
            },
            features: &adapter.features,
            tier: adapter.tier.number(),
            usable: adapter.refused.is_none(),
            auto: adapter.refused.is_none() && adapter.avoided.is_none(),
            reason: adapter.refused.as_deref().or(adapter.avoided.as_deref()),
        }
    }
}

impl Devices {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        if self.corpus {
            return corpus::run(app, self.gpu_adapter.as_deref());
        }
        if !self.qualify {
            return list(app, self.gpu_adapter.as_deref());
        }
        let model = self.model.as_deref().map_or_else(models::any, models::resolve)?;
        qualify::run(app, &model, &self.options())
    }

    /// Those that any run with the same few options has, so that it finds the verdict.
    fn options(&self) -> Options {
        let gpu = GpuOptions {
            adapter: self.gpu_adapter.clone(),
            tier: self.gpu_tier,
            qualify: if self.again { Qualify::Again } else { Qualify::Once },
            cache: models::cache().map(|folder| folder.join("kernels")),
            inject: self.inject.clone(),
            ..GpuOptions::default()
        };
        Options { activations: self.activations.into(), gpu, ..Options::default() }
    }
}

fn list(app: &App, name: Option<&str>) -> Ran {
    let mut adapters = gpu::adapters();
    if let Some(name) = name.map(str::to_lowercase) {
        adapters.retain(|adapter| adapter.name.to_lowercase().contains(&name));
    }
    let shown: Vec<Shown<'_>> = adapters.iter().map(Shown::from).collect();
    let reason_no_gpu = (!shown.iter().any(|shown| shown.usable)).then(|| match shown.first() {
        None if name.is_some() => "no adapter's name contains what --gpu-adapter says".into(),
        None => "no Vulkan or Metal adapter was found; install the GPU's driver".into(),
        Some(first) => format!("{}: {}", first.name, first.reason.unwrap_or_default()),
    });
    let answer = Answer { adapters: shown, reason_no_gpu };
    if app.json {
        output::json(&answer)?;
        return Ok(Outcome::Done);
    }
    for shown in &answer.adapters {
        let limits = &shown.limits;
        output::line(&format!("{} ({}, {})", shown.name, shown.kind, shown.backend))?;
        output::line(&format!("  driver    {}", shown.driver))?;
        output::line(&format!("  tier      {}", shown.tier))?;
        output::line(&format!("  features  {}", shown.features.join(", ")))?;
        output::line(&format!(
            "  limits    {} a binding, {} storage buffers, {} invocations and {} a group, subgroups of {} to {}",
            output::bytes(limits.max_binding_bytes as usize),
            limits.max_storage_buffers,
            limits.max_invocations,
            output::bytes(limits.max_workgroup_bytes as usize),
            limits.subgroup_min,
            limits.subgroup_max,
        ))?;
        let usable = match (shown.usable, shown.auto) {
            (true, true) => "yes",
            (true, false) => "when asked for by --device gpu",
            (false, _) => "no",
        };
        output::line(&format!("  usable    {usable}"))?;
        if let Some(reason) = shown.reason {
            output::line(&format!("  reason    {reason}"))?;
        }
    }
    if let Some(reason) = &answer.reason_no_gpu {
        output::line(&format!("no GPU can be used: {reason}"))?;
    }
    Ok(Outcome::Done)
}
