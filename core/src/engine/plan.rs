//! What a model takes in memory, before it is loaded.

use super::{DeviceChoice, KvType, Options};
use crate::Result;
use crate::backend::{Memory, cpu};
use crate::gguf::Gguf;
use crate::graph::{Graph, Role, Rows};
use crate::model;
use crate::weights::Weights;
use std::path::Path;

pub(super) fn plan(path: &Path, options: &Options) -> Result<Memory> {
    let gguf = Gguf::open(path)?;
    let config = model::config(&gguf)?;
    options.validate(&config)?;
    let graph = model::decoder(&config);
    let weights = Weights::find(&gguf, &graph)?;
    let kv_type = if options.device == DeviceChoice::Reference { KvType::F32 } else { options.kv };
    Ok(Memory {
        weights: weights_bytes(&graph, &weights),
        kv: cpu::kv_bytes(&graph.slots, options.context(&config), options.prefill_chunk, kv_type),
        scratch: scratch_bytes(&graph, options.prefill_chunk),
    })
}

/// Bytes of all weights in the file; packing changes them by a few percent, and only the parts of a table that are
/// looked up are ever read.
fn weights_bytes(graph: &Graph, weights: &Weights) -> usize {
    let ids = (0..graph.weights.len()).map(crate::graph::WeightId);
    ids.map(|id| weights.bytes(id).len()).sum()
}

/// Values of a chunk: those of the widest layer live at the same time, and the logits of one row. f32.
fn scratch_bytes(graph: &Graph, chunk: usize) -> usize {
    let layers = graph.slots.len().max(1);
    let all: usize = graph.nodes.iter().filter(|n| n.rows == Rows::All).map(|n| n.width).sum();
    let vectors: usize = graph.weights.iter().filter(|w| w.role == Role::Vector).map(|w| w.cols).sum();
    4 * (chunk * all.div_ceil(layers) + graph.vocab() + vectors)
}
