//! Where values lie: a buffer each, used again once its value's last reader is done.
//!
//! Values that are alive together never share a buffer, since a kernel cannot read and write one.

use super::device::Opened;
use crate::Result;
use crate::graph::{Graph, NodeId, Rows};
use crate::ops::Op;
use crate::schedule::Keep;
use wgpu::{Buffer, BufferUsages};

/// Buffers by node.
pub(super) struct Values {
    buffers: Vec<Option<Buffer>>,
    /// Bytes of all buffers.
    pub(super) bytes: u64,
}

/// Rows that there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Tokens of a chunk.
    pub(super) chunk: usize,
    /// Rows of logits.
    pub(super) logits: usize,
}

impl Values {
    pub(super) fn new(gpu: &Opened, graph: &Graph, keep: Keep, room: Room) -> Result<Self> {
        let vocab = graph.vocab();
        let bytes_of = |id: usize| {
            let node = &graph.nodes[id];
            let rows = if node.rows == Rows::Wanted && node.width == vocab { room.logits } else { room.chunk };
            (node.width * rows * size_of::<f32>()) as u64
        };
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let last = last_use(graph);
        let mut values = Self { buffers: vec![None; graph.nodes.len()], bytes: 0 };
        let mut free: Vec<Buffer> = Vec::new();
        for id in 0..graph.nodes.len() {
            let bytes = bytes_of(id);
            if bytes > 0 {
                let buffer = if let Some(at) = free.iter().position(|buffer| buffer.size() == bytes) {
                    free.swap_remove(at)
                } else {
                    values.bytes += bytes;
                    gpu.buffer(&graph.nodes[id].name, bytes, usage)?
                };
                values.buffers[id] = Some(buffer);
            }
            if keep == Keep::Logits {
                let done = (0..=id).filter(|i| last[*i] == id && *i != graph.logits().0);
                free.extend(done.filter_map(|i| values.buffers[i].clone()));
            }
        }
        Ok(values)
    }

    /// A node's buffer; `None` for those without a value.
    pub(super) fn get(&self, id: NodeId) -> Option<&Buffer> {
        self.buffers.get(id.0)?.as_ref()
    }
}

/// The last node that reads each value.
fn last_use(graph: &Graph) -> Vec<usize> {
    let mut last: Vec<usize> = (0..graph.nodes.len()).collect();
    for (i, node) in graph.nodes.iter().enumerate() {
        // What is appended lives in the cache.
        for input in node.inputs.iter().filter(|input| !matches!(graph.node(**input).op, Op::Append(_))) {
            last[input.0] = i;
        }
    }
    last
}
