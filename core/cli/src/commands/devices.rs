//! `kinglet devices`: the GPUs of this machine.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::{output, progress};
use clap::Args;
use kinglet::Engine;
use kinglet::backend::gpu::{self, Adapter};
use kinglet::guard::Fitness;
use serde::Serialize;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Devices {
    /// Ask a GPU for every kernel of a model, compare with the CPU, replace what is wrong, and keep the verdict for
    /// `--device auto`
    #[arg(long, requires = "model")]
    qualify: bool,

    #[command(flatten)]
    model: Option<ModelArgs>,
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
kernels, the model or the options change; --gpu-qualify again asks anew.
With --json: `verdict` (`good`, `replaced`, `cpu`), `ladder` [{`node`, `from`, `to`, `why`}], `cached`, `adapter`, `driver`,
`runs`, `ms`.

Examples:
  kinglet devices
  kinglet devices --qualify -m gemma3-270m
  kinglet devices --json";

#[derive(Serialize)]
struct Answer<'a> {
    adapters: Vec<Shown<'a>>,
    #[serde(rename = "reasonNoGpu", skip_serializing_if = "Option::is_none")]
    reason_no_gpu: Option<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    driver: &'a str,
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
        match &self.model {
            Some(model) if self.qualify => qualify(app, model),
            _ => list(app),
        }
    }
}

fn qualify(app: &App, model: &ModelArgs) -> Ran {
    let (path, options) = (model.path()?, model.options()?);
    let bar = progress::counting(app, "qualifying");
    let cancel = app.interrupt.begin();
    let asked = Engine::qualify(
        path,
        &options,
        &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        },
        &cancel,
    );
    bar.finish_and_clear();
    let asked = asked?;
    if app.json {
        output::json(&asked)?;
        return Ok(Outcome::Done);
    }
    let verdict = match asked.verdict {
        Fitness::Good => "good: every kernel says what the CPU says",
        Fitness::Replaced => "good with other kernels in place of those that are wrong",
        Fitness::Cpu => "not to be used with this model, which runs on the CPU",
    };
    output::line(&format!("{} ({})", asked.adapter, asked.driver))?;
    output::line(&format!("  verdict   {verdict}"))?;
    for step in &asked.ladder {
        output::line(&format!("  replaced  {} by {}: {}: {}", step.from, step.to, step.node, step.why))?;
    }
    let how = if asked.cached {
        "known from an earlier time; --gpu-qualify again asks anew".into()
    } else {
        format!("{} runs in {:.1} s, loading among it", asked.runs, asked.time.as_secs_f64())
    };
    output::line(&format!("  asked     {how}"))?;
    Ok(Outcome::Done)
}

fn list(app: &App) -> Ran {
    let adapters = gpu::adapters();
    let shown: Vec<Shown<'_>> = adapters.iter().map(Shown::from).collect();
    let reason_no_gpu = (!shown.iter().any(|shown| shown.usable)).then(|| match shown.first() {
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
