//! The devices of a comparison, prepared so that every value can be seen.

use crate::Result;
use crate::backend::Program;
use crate::backend::cpu::{self, Cpu};
use crate::backend::gpu::{self, Gpu, Tier};
use crate::backend::reference::Reference;
use crate::graph::{Graph, NodeId, PrecisionPlan};
use crate::precision::{Activations, KvType};
use crate::schedule::Keep;
use crate::weights::Weights;
use serde::Serialize;

/// A device to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// Plain loops in f32.
    Reference,
    /// Packed integers.
    Cpu,
    /// WGSL kernels.
    Gpu,
}

/// How the devices are prepared.
#[derive(Clone, Debug)]
pub struct Setup {
    /// CPU threads.
    pub threads: usize,
    /// Tokens compared at once.
    pub chunk: usize,
    /// How activations enter integer products.
    pub activations: Activations,
    /// How keys and values are stored, except by the reference.
    pub kv: KvType,
    /// A part of the GPU's name; the best one without.
    pub adapter: Option<String>,
    /// The GPU's tier; its own without.
    pub tier: Option<Tier>,
    /// The GPU's kernels that something plainer runs for, as [`gpu::Options::deny`] has them.
    pub deny: Vec<String>,
    /// Whether the GPU has its fused kernels, too, and runs tokens by them; then only what these write can be read.
    pub fused: bool,
}

impl Setup {
    /// Prepares a device: every value stays readable, and nodes run alone.
    ///
    /// # Errors
    /// The device's own.
    pub fn prepare(&self, which: Which, graph: Graph, weights: Weights) -> Result<Box<dyn Program>> {
        self.keeping(Keep::All, which, graph, weights)
    }

    /// Prepares a device that runs nodes alone: what they give is all that isolated mode reads of its second device.
    ///
    /// # Errors
    /// The device's own.
    pub fn prepare_alone(&self, which: Which, graph: Graph, weights: Weights) -> Result<Box<dyn Program>> {
        self.keeping(Keep::Logits, which, graph, weights)
    }

    fn keeping(&self, keep: Keep, which: Which, graph: Graph, weights: Weights) -> Result<Box<dyn Program>> {
        let Self { threads, chunk, activations, kv, fused, .. } = *self;
        Ok(match which {
            Which::Reference => Box::new(Reference::prepare(graph, weights, threads, chunk)?),
            Which::Cpu => {
                let options =
                    cpu::Options { threads, chunk, activations, kv, plain: true, keep, isa: cpu::Isa::best() };
                Box::new(Cpu::prepare(graph, weights, options, &mut |_, _| Ok(()))?)
            }
            Which::Gpu => {
                let prepare = |fused: bool, graph: Graph, weights: Weights| {
                    let options = gpu::Options {
                        adapter: self.adapter.clone(),
                        tier: self.tier,
                        threads,
                        chunk,
                        activations,
                        kv,
                        plain: !fused,
                        keep: if fused { Keep::Logits } else { keep },
                        deny: self.deny.clone(),
                        precision: PrecisionPlan::default(),
                        cache: None,
                        lose_after: None,
                    };
                    Gpu::prepare(graph, weights, options, &mut |_, _| Ok(()))
                };
                let gpu = prepare(fused, graph.clone(), weights.clone())?;
                // Of a model that nothing is fused of, all values can be read after all.
                let none = fused && keep == Keep::All && (0..graph.nodes.len()).all(|i| gpu.fused(NodeId(i)).is_none());
                Box::new(if none { prepare(false, graph, weights)? } else { gpu })
            }
        })
    }

    /// What a device's products are fed with.
    pub fn activations_of(&self, which: Which) -> Activations {
        if which == Which::Reference { Activations::F32 } else { self.activations }
    }

    /// How a device stores keys and values.
    pub fn kv_of(&self, which: Which) -> KvType {
        if which == Which::Reference { KvType::F32 } else { self.kv }
    }
}
