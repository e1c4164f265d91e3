//! How a graph is run: stages that cover its nodes in order, and where each value lies in a device's scratch memory.
//!
//! The graph says what is computed, a schedule how much of it happens at once. The *plain* schedule has one stage a
//! node; the *fused* one joins what needs no waiting in between. Both compute every node by its own definition, so
//! they can be compared node by node. Knows nothing of devices.

mod fuse;
mod place;

pub use place::Place;

use crate::graph::{Graph, NodeId};
use crate::ops::Op;

/// What a stage is, which decides how its work is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Operations that need only their own row: split by rows, each row through all nodes.
    Rows,
    /// Products of one value with one or more weights: split by weight rows.
    Matmul,
    /// Two products and their gate: split by weight rows.
    Gated,
    /// Attention: split by heads and rows.
    Attend,
}

/// Nodes that run together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How it is split.
    pub kind: Kind,
    /// What it covers, in order.
    pub nodes: Vec<NodeId>,
}

/// Which values stay readable after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only the logits; memory is reused as soon as it can be.
    Logits,
    /// Every node's.
    All,
}

/// Stages in order and the place of every value.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Together they cover each node once, in the graph's order.
    pub stages: Vec<Stage>,
    /// By node; `None` where a stage keeps a value to itself.
    pub places: Vec<Option<Place>>,
    /// Floats of scratch memory for each row of a chunk.
    pub floats: usize,
}

impl Schedule {
    /// Plain or fused, as somebody chose.
    pub fn of(graph: &Graph, plain: bool, keep: Keep) -> Self {
        if plain { Self::plain(graph, keep) } else { Self::fused(graph, keep) }
    }

    /// One stage a node.
    pub fn plain(graph: &Graph, keep: Keep) -> Self {
        let stages = (0..graph.nodes.len()).map(|i| Stage { kind: kind(&graph.nodes[i].op), nodes: vec![NodeId(i)] });
        place::place(graph, stages.collect(), keep)
    }

    /// As few stages as the order of computation allows.
    pub fn fused(graph: &Graph, keep: Keep) -> Self {
        place::place(graph, fuse::fuse(graph), keep)
    }
}

/// What a stage of this operation alone is.
fn kind(op: &Op) -> Kind {
    match op {
        Op::Matmul(_) => Kind::Matmul,
        Op::Attend(_) => Kind::Attend,
        _ => Kind::Rows,
    }
}
