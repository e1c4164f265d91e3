//! Builds a [`Graph`] node by node; widths follow from the operations.

use super::{Graph, Node, NodeId, Role, Rows, Slot, SlotId, WeightId, WeightSpec};
use crate::ops::Op;

/// A graph under construction.
#[derive(Default)]
pub struct Builder {
    graph: Graph,
}

impl Builder {
    /// Declares a weight, or finds it again; a table that is also a matrix becomes [`Role::TiedTable`].
    pub fn weight(&mut self, name: impl Into<String>, cols: usize, rows: usize, role: Role) -> WeightId {
        let name = name.into();
        if let Some(at) = self.graph.weights.iter().position(|w| w.name == name) {
            let known = &mut self.graph.weights[at];
            if known.role != role {
                known.role = Role::TiedTable;
            }
            return WeightId(at);
        }
        self.graph.weights.push(WeightSpec { name, cols, rows, role });
        WeightId(self.graph.weights.len() - 1)
    }

    /// Declares a cache slot.
    pub fn slot(&mut self, slot: Slot) -> SlotId {
        self.graph.slots.push(slot);
        SlotId(self.graph.slots.len() - 1)
    }

    /// Appends a node.
    pub fn node(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> NodeId {
        let first = inputs.first().map(|id| self.graph.node(*id));
        let shape = |id| (self.graph.weight(id).cols, self.graph.weight(id).rows);
        let width = op.width(first.map_or(0, |node| node.width), shape);
        let rows = match op {
            Op::PickRows => Rows::Wanted,
            _ => first.map_or(Rows::All, |node| node.rows),
        };
        self.graph.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), width, rows });
        NodeId(self.graph.nodes.len() - 1)
    }

    /// The finished graph.
    pub fn finish(self) -> Graph {
        self.graph
    }
}
