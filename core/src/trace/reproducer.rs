//! One node with what it was given and what came out: enough to run it again elsewhere.

use super::Floats;
use crate::graph::{Graph, Node, NodeId, Rows, SlotId};
use crate::ops::Op;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The most numbers of a node that are kept: 1 MiB of text. Rows, then columns that lie further from the first wrong
/// number are left out.
const MOST: usize = 1 << 17;
/// The most tokens of a chunk: whoever replays it makes room for as many.
pub(super) const MOST_TOKENS: usize = 1 << 10;

/// A node of one chunk, the same inputs on both sides, and both outputs. Rows of a node do not depend on each other but
/// through the cache, so that a few of them tell as much as all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reproducer {
    /// The node's name.
    pub node: String,
    /// Position of the chunk's first token.
    pub position: usize,
    /// Tokens of the chunk.
    pub tokens: usize,
    /// Of how many of its last tokens the logits were wanted.
    pub wanted: usize,
    /// The tokens; of an embedding alone, which has no other input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<u32>>,
    /// Rows of the output that are here, counted from its first.
    pub rows: Range<usize>,
    /// Columns of the output that are here.
    pub columns: Range<usize>,
    /// What these rows are computed from.
    pub inputs: Vec<Input>,
    /// What they see of the cache, if they look there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cached>,
    /// The first device's output, `[rows, columns]`.
    pub a: Floats,
    /// The second one's, the worst of all runs; `None` where it gave an error instead.
    pub b: Option<Floats>,
}

/// One value that a node reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The node that makes it.
    pub name: String,
    /// Floats of a row.
    pub width: usize,
    /// `[rows, width]`
    pub values: Floats,
}

/// Keys and values of one slot, `[positions, kv_heads * head_dim]` each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cached {
    /// The first position.
    pub first: usize,
    /// After rope; as they were appended, before a device rounds them to store them.
    pub keys: Floats,
    /// As they are multiplied.
    pub values: Floats,
}

/// A chunk that was run.
pub(super) struct Chunk<'a> {
    pub(super) ids: &'a [u32],
    /// Of how many of its last tokens the logits are wanted.
    pub(super) wanted: usize,
    /// Of its first token.
    pub(super) position: usize,
}

impl Reproducer {
    /// Of what a chunk's nodes gave on the first device, `a`, and one of them on the second; `at` is the index of the
    /// number that matters most. `before` is what was appended in earlier chunks.
    ///
    /// `None` where the node has no value, and where one row of it, or what it sees of the cache, is too large.
    pub(super) fn of(
        graph: &Graph,
        chunk: &Chunk<'_>,
        id: NodeId,
        a: &[Vec<f32>],
        b: Option<&[f32]>,
        at: usize,
        before: &Appended,
    ) -> Option<Self> {
        let node = graph.node(id);
        let output = a.get(id.0)?;
        let (tokens, all) = (chunk.ids.len(), output.len().checked_div(node.width)?);
        if tokens > MOST_TOKENS {
            return None;
        }
        let at = at.min(output.len().checked_sub(1)?);
        let attended = Attended::by(graph, node);
        let line = attended.map_or(0, |attended| 2 * graph.slots[attended.slot.0].width());
        let positions = attended.map_or(0, |attended| attended.seen(graph, chunk.position, tokens).len());
        let left = MOST.checked_sub(line * positions)?;

        // As many rows as fit, from that of the number on.
        let input_width: usize = valued(graph, node).map(|id| graph.node(id).width).sum();
        let count = (left / (input_width + 2 * node.width)).clamp(1, all);
        let start = (at / node.width).min(all - count);
        let rows = start..start + count;
        // Of one row that does not, most of what follows the number, and some before it to compare with.
        let count = (left.checked_sub(input_width)? / 2 / rows.len()).min(node.width);
        let start = (at % node.width).saturating_sub(count / 4).min(node.width - count);
        let columns = start..start + count;
        if columns.is_empty() {
            return None;
        }
        let part = |all: &[f32]| {
            let rows = all.chunks(node.width).skip(rows.start).take(rows.len());
            Floats(rows.filter_map(|row| row.get(columns.clone())).flatten().copied().collect())
        };
        let input = |id: NodeId| {
            let input = graph.node(id);
            let start = rows.start + skipped(node, input.rows, tokens, chunk.wanted);
            let values = a.get(id.0)?.get(start * input.width..(start + rows.len()) * input.width)?.to_vec();
            Some(Input { name: input.name.clone(), width: input.width, values: Floats(values) })
        };
        let cache = match attended {
            Some(attended) => {
                let first = chunk.position + rows.start + skipped(node, Rows::All, tokens, chunk.wanted);
                let seen = attended.seen(graph, first, rows.len());
                Some(Cached::of(graph, attended, &seen, a, before)?)
            }
            None => None,
        };
        Some(Self {
            node: node.name.clone(),
            position: chunk.position,
            tokens,
            wanted: chunk.wanted,
            ids: matches!(node.op, Op::Embed(_)).then(|| chunk.ids.to_vec()),
            inputs: valued(graph, node).map(input).collect::<Option<_>>()?,
            cache,
            a: part(output),
            b: b.map(part),
            rows,
            columns,
        })
    }
}

impl Cached {
    /// The positions that are seen, of earlier chunks and of this one.
    fn of(graph: &Graph, attended: Attended, seen: &Range<usize>, a: &[Vec<f32>], before: &Appended) -> Option<Self> {
        let width = graph.slots[attended.slot.0].width();
        let (old_keys, old_values) = before.0.get(attended.slot.0)?;
        let part = |old: &[f32], new: NodeId| {
            let all = [old, a.get(new.0)?.as_slice()].concat();
            Some(Floats(all.get(seen.start * width..seen.end * width)?.to_vec()))
        };
        let (keys, values) = (part(old_keys, attended.keys)?, part(old_values, attended.values)?);
        Some(Self { first: seen.start, keys, values })
    }
}

/// The keys and values that chunks have appended to each slot, `[positions, kv_heads * head_dim]`. What a device's cache
/// hands out is rounded as that device stores it, but the other one may store more.
pub(super) struct Appended(Vec<(Vec<f32>, Vec<f32>)>);

impl Appended {
    /// Nothing yet.
    pub(super) fn of(graph: &Graph) -> Self {
        Self(vec![Default::default(); graph.slots.len()])
    }

    /// Those of another chunk, whose values `a` are.
    pub(super) fn add(&mut self, graph: &Graph, a: &[Vec<f32>]) {
        for node in &graph.nodes {
            if let (Op::Append(slot), [keys, values]) = (&node.op, node.inputs.as_slice()) {
                let (old_keys, old_values) = &mut self.0[slot.0];
                old_keys.extend_from_slice(&a[keys.0]);
                old_values.extend_from_slice(&a[values.0]);
            }
        }
    }
}

/// The cache that a node reads, and what fills it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attended {
    pub(super) slot: SlotId,
    /// The node that appends.
    pub(super) append: NodeId,
    /// Its inputs.
    pub(super) keys: NodeId,
    pub(super) values: NodeId,
}

impl Attended {
    /// `None` of a node that reads no cache.
    pub(super) fn by(graph: &Graph, node: &Node) -> Option<Self> {
        let Op::Attend(attend) = &node.op else { return None };
        let append = graph.nodes.iter().position(|node| matches!(node.op, Op::Append(slot) if slot == attend.slot))?;
        let [keys, values] = *graph.nodes[append].inputs.as_slice() else { return None };
        Some(Self { slot: attend.slot, append: NodeId(append), keys, values })
    }

    /// The positions that some rows see, of which the first is that of a token at `position`.
    pub(super) fn seen(&self, graph: &Graph, position: usize, rows: usize) -> Range<usize> {
        let window = graph.slots[self.slot.0].window;
        window.map_or(0, |window| (position + 1).saturating_sub(window))..position + rows
    }
}

/// The inputs that are values: not those that only say that the cache is filled.
pub(super) fn valued(graph: &Graph, node: &Node) -> impl Iterator<Item = NodeId> {
    node.inputs.iter().copied().filter(|id| graph.node(*id).width > 0)
}

/// How many rows of an input, or tokens of the chunk, come before the one that the first row of a node is made of.
pub(super) fn skipped(node: &Node, input: Rows, tokens: usize, wanted: usize) -> usize {
    if node.rows == Rows::Wanted && input == Rows::All { tokens - wanted } else { 0 }
}
