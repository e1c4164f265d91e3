//! What a model takes in memory, before it is loaded.

use super::{DeviceChoice, KvType, Options};
use crate::Result;
use crate::backend::{Memory, cpu};
use crate::gguf::Gguf;
use crate::graph::{Graph, Role, WeightId};
use crate::model;
use crate::quant::Packed;
use crate::schedule::{Keep, Schedule};
use crate::weights::Weights;
use std::path::Path;

pub(super) fn plan(path: &Path, options: &Options) -> Result<Memory> {
    let gguf = Gguf::open(path)?;
    let (config, graph) = model::graph(&gguf)?;
    options.validate(&config)?;
    let weights = Weights::find(&gguf, &graph)?;
    let schedule = Schedule::of(&graph, options.schedule == super::Schedule::Plain, Keep::Logits);
    let reference = options.device == DeviceChoice::Reference;
    let kv = if reference { KvType::F32 } else { options.kv };
    Ok(Memory {
        weights: weights_bytes(&graph, &weights, !reference),
        kv: cpu::kv_bytes(&graph.slots, options.context(&config), options.prefill_chunk, kv),
        scratch: cpu::scratch_bytes(&graph, &schedule, options.prefill_chunk, cpu::Isa::best()),
    })
}

/// Bytes of all weights: packed matrices and vectors of f32, or the file's bytes where a weight is read as it lies.
fn weights_bytes(graph: &Graph, weights: &Weights, packs: bool) -> usize {
    let sizes = graph.weights.iter().enumerate().map(|(i, spec)| {
        let id = WeightId(i);
        match (spec.role, weights.format(id).packed) {
            (Role::Vector, _) if packs => 4 * spec.cols,
            (Role::Matrix | Role::TiedTable, Some((layout, _))) if packs => Packed::size(layout, spec.rows, spec.cols),
            _ => weights.bytes(id).len(),
        }
    });
    sizes.sum()
}
