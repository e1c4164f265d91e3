//! The pass that joins nodes into stages: neighbours of one kind, and a gate with its two products.

use super::{Kind, Stage, kind};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;

/// Stages that cover `graph`.
pub fn fuse(graph: &Graph) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for i in 0..graph.nodes.len() {
        let id = NodeId(i);
        let kind = kind(&graph.node(id).op);
        match stages.last_mut() {
            Some(last) if gates(graph, last, id) => {
                last.kind = Kind::Gated;
                last.nodes.push(id);
            }
            Some(last) if joins(graph, last, id, kind) => last.nodes.push(id),
            _ => stages.push(Stage { kind, nodes: vec![id] }),
        }
    }
    stages
}

/// Whether node `id` can run in the stage before it.
fn joins(graph: &Graph, stage: &Stage, id: NodeId, kind: Kind) -> bool {
    let (Some(first), node) = (stage.nodes.first(), graph.node(id)) else { return false };
    let first = graph.node(*first);
    stage.kind == kind
        && match kind {
            // A stage has one number of rows; the node that picks rows reads its input at other rows.
            Kind::Rows => first.rows == node.rows,
            Kind::Matmul => first.inputs == node.inputs,
            Kind::Gated | Kind::Attend => false,
        }
}

/// Whether node `id` is the gate over exactly the two products of the stage before it.
fn gates(graph: &Graph, stage: &Stage, id: NodeId) -> bool {
    let node = graph.node(id);
    stage.kind == Kind::Matmul && matches!(node.op, Op::Gated(_)) && node.inputs == stage.nodes
}
