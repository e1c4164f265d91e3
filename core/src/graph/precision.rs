//! Which values may be stored in less than f32.
//!
//! Gemma 3 270M's residual stream exceeds 100,000 where f16 ends at 65,504: a device that keeps it in f16 computes
//! infinities, and then prints nonsense. So a plan is checked against the graph before anything runs.

use super::{Graph, Node, NodeId};
use crate::ops::Op;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    /// 24 bits of precision, up to 3e38.
    F32,
    /// 11 bits, up to 65,504.
    F16,
    /// 8 bits, up to 3e38.
    Bf16,
}

impl Stored {
    /// `f32`, `f16` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }
}

/// The least that nodes may be stored in, by name: by default f32 for all. A device may always store more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrecisionPlan {
    less: BTreeMap<String, Stored>,
}

impl PrecisionPlan {
    /// Lets the node of that name be stored in less.
    #[must_use]
    pub fn allow(mut self, node: impl Into<String>, stored: Stored) -> Self {
        self.less.insert(node.into(), stored);
        self
    }

    /// Whether a graph's values can bear it.
    ///
    /// # Errors
    /// [`Error::Precision`] names the first node that must be f32, or that there is none of that name.
    pub fn check(&self, graph: &Graph) -> Result<()> {
        for (name, stored) in self.less.iter().filter(|(_, stored)| **stored != Stored::F32) {
            let refuse = |why: &str| Error::Precision { node: name.clone(), stored: stored.name(), why: why.into() };
            let id = graph.find(name).ok_or_else(|| refuse("the model has no such node"))?;
            if let Some(why) = must_be_f32(graph, id) {
                return Err(refuse(why));
            }
        }
        Ok(())
    }
}

/// Why a node must be f32, if it must.
fn must_be_f32(graph: &Graph, id: NodeId) -> Option<&'static str> {
    const RESIDUAL: &str = "it is part of the residual stream, which overflows f16 and adds up small changes";
    let readers = || graph.nodes.iter().filter(|node| node.inputs.contains(&id));
    let picked = |node: &Node| node.op == Op::PickRows && node.inputs.iter().any(|i| graph.node(*i).op == Op::Add);
    match &graph.node(id).op {
        Op::Embed(_) | Op::Add => Some(RESIDUAL),
        _ if readers().any(|node| node.op == Op::Add) || picked(graph.node(id)) => Some(RESIDUAL),
        Op::RmsNorm(_) => Some("norms are divided by sums of squares"),
        _ if readers().any(|node| matches!(node.op, Op::RmsNorm(_))) => Some("a norm squares it"),
        _ if id == graph.logits() || matches!(graph.node(id).op, Op::Softcap(_)) => Some("logits are compared"),
        _ if readers().any(|node| matches!(node.op, Op::Softcap(_))) => Some("logits are compared"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::gguf::Gguf;
    use crate::model;

    #[test]
    fn residual_norms_and_logits_are_f32() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-gemma3-q4_0.gguf");
        let graph = model::decoder(&model::config(&Gguf::open(path.as_ref()).unwrap()).unwrap());
        let check = |name: &str, stored| PrecisionPlan::default().allow(name, stored).check(&graph);
        let f32 = [
            "token_embd",
            "blk.0.attn_norm",
            "blk.0.attn_output",
            "blk.0.attn_residual",
            "blk.1.l_out",
            "blk.1.ffn_down",
            "output_rows",
            "output_norm",
            "output",
            "no such node",
        ];
        for name in f32 {
            for stored in [Stored::F16, Stored::Bf16] {
                let error = check(name, stored).unwrap_err();
                assert!(error.to_string().contains(name), "{error}");
            }
            assert!(check(name, Stored::F32).is_ok());
        }
        for name in ["blk.0.attn_v", "blk.0.attn_heads", "blk.0.attn_q_rope", "blk.1.ffn_gate", "blk.1.ffn_act"] {
            assert!(check(name, Stored::F16).is_ok(), "{name}");
        }
    }
}
