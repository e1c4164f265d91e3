//! A model as data: a static list of nodes over named weights and cache slots, in order of computation.
//!
//! Every value is a matrix of f32, `[rows, width]`: one row a token of the step, row-major. Nodes are named as GGUF
//! names tensors (`blk.3.attn_q`), so a node, its weight, its trace and another engine's dump share one name.
//! Knows nothing of families, files or devices.

mod builder;
mod precision;

pub use crate::ops::{NodeId, SlotId, WeightId};
pub use builder::Builder;
pub use precision::{PrecisionPlan, Stored};

use crate::ops::Op;
use crate::precision::Activations;

/// Which rows of the step a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// One for every token of the step.
    All,
    /// Only those whose logits are wanted.
    Wanted,
}

/// One operation, its inputs and its output.
#[derive(Clone, Debug)]
pub struct Node {
    /// GGUF-style name, unique in the graph.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// Values it reads, all of earlier nodes.
    pub inputs: Vec<NodeId>,
    /// Floats in a row of its output; 0 for [`Op::Append`], whose output is the cache.
    pub width: usize,
    /// Rows of its output.
    pub rows: Rows,
}

/// How a weight is used, which decides how a backend stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A vector of f32: norms, biases, rope factors.
    Vector,
    /// Multiplied with activations.
    Matrix,
    /// Looked up by row only.
    Table,
    /// Both: a tied embedding.
    TiedTable,
}

/// A tensor that the graph needs.
#[derive(Clone, Debug)]
pub struct WeightSpec {
    /// GGUF name, for instance `blk.3.attn_q.weight`.
    pub name: String,
    /// Columns (the contiguous dimension, the input width).
    pub cols: usize,
    /// Rows (outputs); 1 for a vector.
    pub rows: usize,
    /// How it is used.
    pub role: Role,
}

/// Keys and values of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Key/value heads.
    pub kv_heads: usize,
    /// Floats in a head.
    pub head_dim: usize,
    /// Positions that a query sees (itself included), or all.
    pub window: Option<usize>,
}

impl Slot {
    /// Floats of a position's keys; of its values as many.
    pub fn width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// The first position that a query behind `position` others sees.
    pub fn first_seen(&self, position: usize) -> usize {
        self.window.map_or(0, |window| (position + 1).saturating_sub(window))
    }
}

/// The whole computation of one step.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// In order of computation; the last one makes the logits.
    pub nodes: Vec<Node>,
    /// Tensors that the nodes refer to.
    pub weights: Vec<WeightSpec>,
    /// Cache slots, one a layer.
    pub slots: Vec<Slot>,
}

impl Graph {
    /// The node of that id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The weight of that id.
    pub fn weight(&self, id: WeightId) -> &WeightSpec {
        &self.weights[id.0]
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|n| n.name == name).map(NodeId)
    }

    /// The node that makes the logits, `[wanted rows, vocab]`.
    pub fn logits(&self) -> NodeId {
        NodeId(self.nodes.len().saturating_sub(1))
    }

    /// What the output head multiplies: the input of the product that makes the logits, before a cap of them.
    pub fn head_input(&self) -> Option<NodeId> {
        self.nodes.iter().rfind(|node| matches!(node.op, Op::Matmul(_))).map(|node| node.inputs[0])
    }

    /// How a value enters products, of a model whose activations do so as they say. What the head multiplies has 16 bits
    /// at least: a prompt needs one row of it, and its rounding would go into the choice of tokens as it is.
    pub(crate) fn entering(&self, value: NodeId, activations: Activations) -> Activations {
        match activations {
            Activations::Int8 if self.head_input() == Some(value) => Activations::Int16,
            other => other,
        }
    }

    /// The matrix whose products are the logits as they are; `None` where something changes them afterwards.
    pub fn head(&self) -> Option<WeightId> {
        match &self.nodes.last()?.op {
            Op::Matmul(op) if op.bias.is_none() => Some(op.weight),
            _ => None,
        }
    }

    /// Tokens in the vocabulary.
    pub fn vocab(&self) -> usize {
        self.nodes.last().map_or(0, |n| n.width)
    }
}
