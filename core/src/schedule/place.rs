//! The memory plan: a place for every value, reused once its last reader is done.

use super::{Keep, Kind, Schedule, Stage};
use crate::graph::{Graph, NodeId, Rows};
use crate::ops::Op;

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In scratch memory: `[rows, width]` from float `offset * rows of a chunk` on.
    Scratch {
        /// In floats for each row of a chunk.
        offset: usize,
    },
    /// In the caller's buffer for logits.
    Logits,
}

/// Floats between two values, so that vectors and cache lines are not shared.
const ALIGN: usize = 16;

/// Gives every value of `stages` its place.
pub fn place(graph: &Graph, stages: Vec<Stage>, keep: Keep) -> Schedule {
    let last_use = last_use(graph, &stages);
    let logits = graph.logits();
    // A cap of the logits works in place.
    let capped = graph.nodes.last().filter(|node| keep == Keep::Logits && matches!(node.op, Op::Softcap(_)));
    let capped = capped.map(|node| node.inputs[0]);
    let mut places = vec![None; graph.nodes.len()];
    let mut free: Vec<(usize, usize)> = Vec::new(); // (offset, len), in order of offset, never touching
    let mut floats = 0;
    for (s, stage) in stages.iter().enumerate() {
        for id in &stage.nodes {
            let node = graph.node(*id);
            let inside = stage.kind == Kind::Gated && stage.nodes.last() != Some(id);
            if node.width == 0 || (inside && keep == Keep::Logits) {
                continue;
            }
            // Other values may be just as wide.
            if node.rows == Rows::Wanted && (*id == logits || capped == Some(*id)) {
                places[id.0] = Some(Place::Logits);
                continue;
            }
            let offset = take(&mut free, &mut floats, node.width.next_multiple_of(ALIGN));
            places[id.0] = Some(Place::Scratch { offset });
        }
        if keep == Keep::Logits {
            for (i, node) in graph.nodes.iter().enumerate() {
                if let (Some(Place::Scratch { offset }), true) = (places[i], last_use[i] == s) {
                    give(&mut free, offset, node.width.next_multiple_of(ALIGN));
                }
            }
        }
    }
    Schedule { stages, places, floats }
}

/// The stage after which each value is not read any more.
fn last_use(graph: &Graph, stages: &[Stage]) -> Vec<usize> {
    let mut last = vec![0; graph.nodes.len()];
    for (s, stage) in stages.iter().enumerate() {
        for NodeId(i) in &stage.nodes {
            last[*i] = s;
            for NodeId(input) in &graph.nodes[*i].inputs {
                last[*input] = s;
            }
        }
    }
    last
}

/// The first gap that is wide enough, or new memory at the end.
fn take(free: &mut Vec<(usize, usize)>, floats: &mut usize, len: usize) -> usize {
    if let Some(at) = free.iter().position(|gap| gap.1 >= len) {
        let (offset, gap) = free[at];
        if gap == len {
            free.remove(at);
        } else {
            free[at] = (offset + len, gap - len);
        }
        return offset;
    }
    let offset = *floats;
    *floats += len;
    offset
}

/// Gives memory back and joins it with its neighbours.
fn give(free: &mut Vec<(usize, usize)>, offset: usize, len: usize) {
    let at = free.partition_point(|gap| gap.0 < offset);
    free.insert(at, (offset, len));
    for at in [at + 1, at] {
        if at > 0 && at < free.len() && free[at - 1].0 + free[at - 1].1 == free[at].0 {
            free[at - 1].1 += free[at].1;
            free.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Builder, Role};
    use crate::ops::{Embed, Gated, Matmul, Op, RmsNorm};

    /// One feed-forward block.
    fn graph() -> Graph {
        graph_of(100)
    }

    fn graph_of(vocab: usize) -> Graph {
        let mut b = Builder::default();
        let table = b.weight("token_embd.weight", 32, vocab, Role::Table);
        let x = b.node("token_embd", Op::Embed(Embed { table, scale: 1.0 }), &[]);
        let weight = b.weight("ffn_norm.weight", 32, 1, Role::Vector);
        let h = b.node("ffn_norm", Op::RmsNorm(RmsNorm { weight, eps: 1e-6, dim: 32 }), &[x]);
        let product = |b: &mut Builder, name: &str, cols, rows, x| {
            let weight = b.weight(format!("{name}.weight"), cols, rows, Role::Matrix);
            b.node(name, Op::Matmul(Matmul { weight, bias: None }), &[x])
        };
        let gate = product(&mut b, "ffn_gate", 32, 64, h);
        let up = product(&mut b, "ffn_up", 32, 64, h);
        let act = b.node("ffn_act", Op::Gated(Gated { activation: crate::ops::Activation::Silu }), &[gate, up]);
        let down = product(&mut b, "ffn_down", 64, 32, act);
        let x = b.node("l_out", Op::Add, &[x, down]);
        let x = b.node("output_rows", Op::PickRows, &[x]);
        product(&mut b, "output", 32, vocab, x);
        b.finish()
    }

    /// Values that are alive at the same time must not share memory.
    fn assert_no_overlap(graph: &Graph, schedule: &Schedule, keep: Keep) {
        let last = last_use(graph, &schedule.stages);
        let mut born = vec![0; graph.nodes.len()];
        for (s, stage) in schedule.stages.iter().enumerate() {
            for id in &stage.nodes {
                born[id.0] = s;
            }
        }
        let span = |i: usize| match schedule.places[i] {
            Some(Place::Scratch { offset }) => Some((offset, offset + graph.nodes[i].width)),
            _ => None,
        };
        for a in 0..graph.nodes.len() {
            for b in 0..a {
                let (Some(x), Some(y)) = (span(a), span(b)) else { continue };
                let together = keep == Keep::All || (born[a] <= last[b] && born[b] <= last[a]);
                assert!(!together || x.1 <= y.0 || y.1 <= x.0, "{} and {}", graph.nodes[a].name, graph.nodes[b].name);
            }
        }
    }

    #[test]
    fn values_alive_together_have_their_own_memory() {
        let graph = graph();
        for keep in [Keep::Logits, Keep::All] {
            assert_no_overlap(&graph, &Schedule::plain(&graph, keep), keep);
            assert_no_overlap(&graph, &Schedule::fused(&graph, keep), keep);
        }
    }

    #[test]
    fn only_logits_lie_where_the_caller_wants_them() {
        // As many tokens as the model is wide: the picked rows have the logits' shape, too.
        let graph = graph_of(32);
        let places = Schedule::fused(&graph, Keep::Logits).places;
        let found: Vec<usize> = (0..places.len()).filter(|&i| places[i] == Some(Place::Logits)).collect();
        assert_eq!(found, [graph.logits().0]);
    }

    #[test]
    fn memory_is_reused_unless_all_is_kept() {
        let graph = graph();
        assert!(Schedule::fused(&graph, Keep::Logits).floats < Schedule::fused(&graph, Keep::All).floats);
    }

    #[test]
    fn fused_stages_cover_each_node_once_in_order() {
        let graph = graph();
        let schedule = Schedule::fused(&graph, Keep::Logits);
        let covered: Vec<_> = schedule.stages.iter().flat_map(|s| s.nodes.clone()).collect();
        assert_eq!(covered, (0..graph.nodes.len()).map(NodeId).collect::<Vec<_>>());
        let kinds: Vec<_> = schedule.stages.iter().map(|s| s.kind).collect();
        assert_eq!(kinds, [Kind::Rows, Kind::Gated, Kind::Matmul, Kind::Rows, Kind::Rows, Kind::Matmul]);
    }
}
