//! The values that a device kept of its last chunk.

use crate::backend::Program;
use crate::graph::{Graph, NodeId, Rows};
use crate::{Error, Result};

/// What a device kept of a chunk.
pub(crate) struct Kept<'a> {
    pub(crate) program: &'a dyn Program,
    pub(crate) logits: &'a [f32],
}

impl Kept<'_> {
    /// A node's value. Empty where it has none: what was appended, and rows that nobody wanted.
    pub(crate) fn value(&self, graph: &Graph, id: NodeId) -> Result<Vec<f32>> {
        let node = graph.node(id);
        if node.width == 0 || node.rows == Rows::Wanted && self.logits.is_empty() {
            return Ok(Vec::new());
        }
        if id == graph.logits() {
            return Ok(self.logits.to_vec());
        }
        self.program.read(id).ok_or_else(|| Error::Option {
            name: "keep".into(),
            what: format!("{} kept no value of {}; let it keep all", self.program.device().kind, node.name),
        })
    }
}
