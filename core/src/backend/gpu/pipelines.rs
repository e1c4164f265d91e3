//! Pipelines: a kernel with its constants, compiled for the device once.

#![allow(unsafe_code)] // Trusted shader modules.

use super::adapter::Tier;
use super::cache::Kept;
use super::deny::{Denied, SAFE};
use super::device::Opened;
use crate::{Error, Result};
use kinglet_shaders::{Binding, Kernel, Source};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wgpu::{BindGroupLayout, BindGroupLayoutEntry, BindingType, BufferBindingType, ShaderStages};

/// Values of a kernel's `override`s.
pub(super) type Constants = Vec<(&'static str, f64)>;

/// Every pipeline of a program.
pub(super) struct Pipelines {
    gpu: Opened,
    denied: Denied,
    made: HashMap<(Kernel, Vec<(&'static str, u64)>), Pipeline>,
    layouts: HashMap<&'static [Binding], BindGroupLayout>,
    /// Group 1 of kernels that use the cache.
    pub(super) cache_layout: BindGroupLayout,
    /// Compiled kernels of an earlier start.
    kept: Option<Kept>,
    /// Where linked shaders are written, if anywhere.
    dump: Option<PathBuf>,
    /// Spent on compiling.
    pub(super) spent: Duration,
}

/// One of them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) name: String,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: BindGroupLayout,
}

impl Pipelines {
    /// None yet; `cache` is the folder of compiled kernels.
    pub(super) fn new(gpu: &Opened, denied: Denied, cache: Option<&Path>) -> Self {
        let group = [Binding::Uniform, Binding::Write, Binding::Write];
        Self {
            cache_layout: layout(gpu, "cache", &group),
            gpu: gpu.clone(),
            denied,
            made: HashMap::new(),
            layouts: HashMap::new(),
            kept: cache.and_then(|folder| Kept::open(gpu, folder)),
            dump: std::env::var_os("KINGLET_DUMP_WGSL").map(PathBuf::from),
            spent: Duration::ZERO,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.made.len()
    }

    /// Keeps what was compiled for the next start.
    pub(super) fn keep(&self) {
        if let Some(kept) = &self.kept {
            kept.save();
        }
    }

    /// The pipeline of a kernel with these constants.
    pub(super) fn get(&mut self, kernel: Kernel, constants: &Constants) -> Result<Pipeline> {
        let key = (kernel, constants.iter().map(|(name, value)| (*name, value.to_bits())).collect());
        if let Some(pipeline) = self.made.get(&key) {
            return Ok(pipeline.clone());
        }
        let started = Instant::now();
        let pipeline = self.make(kernel, constants)?;
        self.spent += started.elapsed();
        self.made.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    /// Whether a kernel is denied.
    pub(super) fn denies(&self, kernel: Kernel) -> bool {
        self.denied.has(kernel)
    }

    /// What a kernel is made of: of a denied one the plainest variant.
    pub(super) fn source(&self, kernel: Kernel) -> Source {
        if !self.denies(kernel) {
            return kernel.source(self.gpu.tier.variant());
        }
        let mut source = kernel.source(Tier::Plain.variant());
        source.name.push_str(SAFE);
        source
    }

    fn make(&mut self, kernel: Kernel, constants: &Constants) -> Result<Pipeline> {
        let gpu = &self.gpu;
        let source = self.source(kernel);
        let name = constants.iter().fold(source.name.clone(), |name, (key, value)| format!("{name}-{key}={value}"));
        let text = source.link().text;
        self.write_down(&name, &text);
        let denied = self.denies(kernel);
        let bindings = kernel.bindings();
        let layout = self
            .layouts
            .entry(bindings)
            .or_insert_with(|| {
                let all: Vec<Binding> = [Binding::Uniform].iter().chain(bindings).copied().collect();
                layout(gpu, &name, &all)
            })
            .clone();
        let made = gpu.scoped(&name, || {
            let groups = [Some(&layout), kernel.has_cache().then_some(&self.cache_layout)];
            let groups = &groups[..if kernel.has_cache() { 2 } else { 1 }];
            let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&name),
                bind_group_layouts: groups,
                immediate_size: 0,
            });
            let module = module(gpu, &name, &text, gpu.tier == Tier::Plain || denied);
            gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&name),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    // Every kernel writes what it reads of it.
                    zero_initialize_workgroup_memory: false,
                },
                cache: self.kept.as_ref().map(Kept::cache),
            })
        });
        let pipeline = made.map_err(|error| match error {
            Error::Gpu { what, why } => Error::Kernel { kernel: kernel.name(), name: what, why },
            other => other,
        })?;
        Ok(Pipeline { name, pipeline, layout })
    }

    /// Writes a linked shader to the folder that `KINGLET_DUMP_WGSL` names.
    fn write_down(&self, name: &str, text: &str) {
        let Some(folder) = &self.dump else { return };
        let path = folder.join(format!("{name}.wgsl"));
        if let Err(error) = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text)) {
            log::warn!("cannot write {}: {error}", path.display());
        }
    }
}

/// A kernel's module, or one of the corpus, with wgpu's checks of indices and loops or without.
pub(super) fn module(gpu: &Opened, name: &str, text: &str, checked: bool) -> wgpu::ShaderModule {
    let desc = wgpu::ShaderModuleDescriptor { label: Some(name), source: wgpu::ShaderSource::Wgsl(text.into()) };
    if checked {
        return gpu.device.create_shader_module(desc);
    }
    // SAFETY: the kernels' loops end and their indices are within the buffers that the plan makes for them: rows and
    // lanes beyond the last read padding or are clamped. The corpus keeps to that too, but for `dead_arm`, which reads beside
    // workgroup memory and drops it: the bug that it is about. It runs only for who asks whether a driver has that.
    unsafe { gpu.device.create_shader_module_trusted(desc, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// The layout of a bind group.
pub(super) fn layout(gpu: &Opened, label: &str, bindings: &[Binding]) -> BindGroupLayout {
    let entry = |(binding, kind): (usize, &Binding)| BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty: match kind {
                Binding::Uniform => BufferBindingType::Uniform,
                Binding::Read => BufferBindingType::Storage { read_only: true },
                Binding::Write => BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = bindings.iter().enumerate().map(entry).collect();
    gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}
