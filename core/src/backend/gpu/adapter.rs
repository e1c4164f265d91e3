//! Which GPUs there are, what each can do, and why one cannot be used.

use super::drivers;
use crate::{Error, Result};
use kinglet_shaders::{Dot, Lanes, Variant};
use std::fmt;
use wgpu::{Backends, DeviceType, Features, Limits};

/// What of a device the kernels may lean on. Each tier has what the one before it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// f32 and u32, shaders with every check that wgpu adds.
    Plain,
    /// The integer dot product, shaders without those checks: their own bounds are enough.
    Dot,
    /// Subgroup operations.
    Subgroup,
}

impl Tier {
    /// All of them, from the plainest.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Dot, Self::Subgroup];

    /// 0, 1 or 2.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The tier of a number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.number() == number)
    }

    /// Which variant of the kernels it runs.
    pub fn variant(self) -> Variant {
        Variant {
            dot: if self >= Self::Dot { Dot::Packed } else { Dot::Plain },
            lanes: if self >= Self::Subgroup { Lanes::Subgroup } else { Lanes::Workgroup },
        }
    }

    /// What it cannot do without that an adapter lacks.
    pub(super) fn lacks(self, adapter: &Adapter) -> Option<String> {
        let has = adapter.features.contains(&"subgroup") && adapter.subgroup.0 >= LEAST_SUBGROUP;
        (self >= Self::Subgroup && !has).then(|| format!("subgroups of at least {LEAST_SUBGROUP} lanes"))
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tier {}", self.number())
    }
}

/// One GPU, as its driver describes it.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// What the driver calls it.
    pub name: String,
    /// Driver and version.
    pub driver: String,
    /// `vulkan` or `metal`.
    pub backend: &'static str,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// The most bytes of one binding.
    pub max_binding_bytes: u64,
    /// The most bytes of one buffer.
    pub max_buffer_bytes: u64,
    /// Storage buffers of one kernel.
    pub max_storage_buffers: u32,
    /// Invocations of one group.
    pub max_invocations: u32,
    /// Bytes of workgroup memory.
    pub max_workgroup_bytes: u32,
    /// Least and greatest size of a subgroup.
    pub subgroup: (u32, u32),
    /// What it offers of what Kinglet can use.
    pub features: Vec<&'static str>,
    /// The tier that it runs unless the caller says otherwise.
    pub tier: Tier,
    /// Why it cannot be used, if it cannot.
    pub refused: Option<String>,
    /// Why `auto` does not take it, if it does not, though it can be used.
    pub avoided: Option<String>,
}

impl Adapter {
    /// The tiers that it can run.
    pub fn tiers(&self) -> Vec<Tier> {
        Tier::ALL.into_iter().filter(|tier| tier.lacks(self).is_none()).collect()
    }
}

/// Features that are asked for where they exist.
const WELCOME: [(Features, &str); 3] = [
    (Features::SUBGROUP, "subgroup"),
    (Features::TIMESTAMP_QUERY, "timestamp_query"),
    (Features::PIPELINE_CACHE, "pipeline_cache"),
];

/// Lanes of the smallest subgroup that tier 2 can use.
const LEAST_SUBGROUP: u32 = 8;
/// What every kernel needs; the limits of the phones that are to be served.
const STORAGE_BUFFERS: u32 = 8;
const INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16 << 10;
const BINDING_BYTES: u64 = 128 << 20;

/// An adapter with its description.
pub(super) struct Found {
    pub(super) adapter: wgpu::Adapter,
    pub(super) facts: Adapter,
}

/// Every GPU of this machine. Empty where no driver is installed.
pub fn adapters() -> Vec<Adapter> {
    found().into_iter().map(|found| found.facts).collect()
}

/// The one of these that a program is prepared for: whose name contains `name`, or else the best; hardware before software.
///
/// # Errors
/// [`Error::NoGpu`] where there is none that can be used.
pub fn chosen<'a>(adapters: &'a [Adapter], name: Option<&str>) -> Result<&'a Adapter> {
    best(adapters, name).map(|best| &adapters[best])
}

pub(super) fn found() -> Vec<Found> {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    // GL on phones lacks too much, and what it has is often wrong.
    desc.backends = Backends::VULKAN | Backends::METAL;
    desc.flags = wgpu::InstanceFlags::empty();
    let backends = desc.backends;
    let instance = wgpu::Instance::new(desc);
    let all = pollster::block_on(instance.enumerate_adapters(backends));
    all.into_iter().map(|adapter| Found { facts: describe(&adapter), adapter }).collect()
}

/// The adapter whose name contains `name`, or else the best that can be used.
pub(super) fn choose(name: Option<&str>) -> Result<Found> {
    let mut all = found();
    let facts: Vec<Adapter> = all.iter().map(|found| found.facts.clone()).collect();
    best(&facts, name).map(|best| all.swap_remove(best))
}

fn best(adapters: &[Adapter], name: Option<&str>) -> Result<usize> {
    let wanted = name.unwrap_or_default().to_lowercase();
    let named = adapters.iter().enumerate().filter(|(_, adapter)| adapter.name.to_lowercase().contains(&wanted));
    let Some((best, first)) = named.min_by_key(|(_, found)| (found.refused.is_some(), found.avoided.is_some())) else {
        let what = match name {
            Some(name) => format!("no adapter's name contains {name:?}; `kinglet devices` lists them"),
            None => "no Vulkan or Metal adapter was found; install the GPU's driver, or run on the CPU".into(),
        };
        return Err(Error::NoGpu(what));
    };
    match &first.refused {
        Some(reason) => Err(Error::NoGpu(format!("{} cannot be used: {reason}; run on the CPU", first.name))),
        None => Ok(best),
    }
}

fn describe(adapter: &wgpu::Adapter) -> Adapter {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    };
    // A rasteriser on the CPU is slower than the CPU itself.
    let software = info.device_type == DeviceType::Cpu || info.name.to_lowercase().contains("swiftshader");
    let driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
    let avoided = if software {
        Some("it is a software rasteriser, slower than the CPU backend".into())
    } else {
        drivers::known_bad(&info.name, &driver)
    };
    let subgroups = features.contains(Features::SUBGROUP) && info.subgroup_min_size >= LEAST_SUBGROUP;
    Adapter {
        name: info.name,
        driver,
        backend: info.backend.to_str(),
        kind,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        max_invocations: limits.max_compute_invocations_per_workgroup,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        subgroup: (info.subgroup_min_size, info.subgroup_max_size),
        features: WELCOME.iter().filter(|(f, _)| features.contains(*f)).map(|(_, name)| *name).collect(),
        // Subgroups are wrong on too many phones' drivers. A software rasteriser, where loads cost most, is right.
        tier: if software && subgroups { Tier::Subgroup } else { Tier::Dot },
        refused: missing(&limits),
        avoided,
    }
}

/// The first limit that a kernel would exceed.
fn missing(limits: &Limits) -> Option<String> {
    let needs: [(&str, u64, u64); 4] = [
        ("storage buffers a stage", limits.max_storage_buffers_per_shader_stage.into(), STORAGE_BUFFERS.into()),
        ("invocations a group", limits.max_compute_invocations_per_workgroup.into(), INVOCATIONS.into()),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size.into(), WORKGROUP_BYTES.into()),
        ("bytes a storage binding", limits.max_storage_buffer_binding_size, BINDING_BYTES),
    ];
    needs
        .into_iter()
        .find(|(_, has, needed)| has < needed)
        .map(|(what, has, needed)| format!("it allows {has} {what}, kernels need {needed}"))
}

/// What to ask the adapter for: what is welcome, and its own sizes of buffers.
pub(super) fn request(adapter: &wgpu::Adapter) -> (Features, Limits) {
    let (has, limits) = (adapter.features(), adapter.limits());
    let features = WELCOME.iter().fold(Features::empty(), |all, (feature, _)| all | (*feature & has));
    let limits = Limits {
        max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
        max_buffer_size: limits.max_buffer_size,
        min_uniform_buffer_offset_alignment: limits.min_uniform_buffer_offset_alignment,
        min_storage_buffer_offset_alignment: limits.min_storage_buffer_offset_alignment,
        max_storage_buffers_per_shader_stage: STORAGE_BUFFERS,
        max_compute_workgroup_storage_size: WORKGROUP_BYTES,
        ..Limits::downlevel_defaults()
    };
    (features, limits)
}
