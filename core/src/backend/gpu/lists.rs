//! The calls of a program, ready to be started, and which of them a chunk takes.

use super::kv::Cache;
use super::pipelines::Pipeline;
use super::plan::{Bound, Call, FEW};
use crate::backend::Best;
use crate::graph::{NodeId, Rows};
use kinglet_shaders::Kernel;
use std::ops::Range;
use wgpu::BindGroup;

/// What is called, by a chunk's size.
pub(super) struct Lists {
    /// Fused, for one token whose logits are wanted; empty where a model has none.
    pub(super) one: List,
    pub(super) few: List,
    pub(super) many: List,
    /// In place of the head of any of them: the best logits of one row.
    pub(super) best: Vec<Ready>,
}

/// Calls in their order.
#[derive(Default)]
pub(super) struct List {
    pub(super) body: Vec<Ready>,
    /// The product that makes the logits, and what comes after it.
    pub(super) head: Vec<Ready>,
}

impl Lists {
    pub(super) fn of(&self, chunk: &Chunk) -> &List {
        match chunk.ids.len() {
            _ if chunk.is_one() && !self.one.body.is_empty() => &self.one,
            rows if rows <= FEW => &self.few,
            _ => &self.many,
        }
    }

    /// What a chunk is made by.
    pub(super) fn calls(&self, chunk: &Chunk) -> impl Iterator<Item = &Ready> {
        let list = self.of(chunk);
        list.body.iter().chain(if chunk.best.is_some() { &self.best } else { &list.head })
    }

    /// The plain calls of one node of a chunk of so many tokens, its input's quantisation before them.
    pub(super) fn alone(&self, tokens: usize, node: NodeId, input: Option<NodeId>) -> Vec<&Ready> {
        let list = if tokens <= FEW { &self.few } else { &self.many };
        let all = || list.body.iter().chain(&list.head);
        let quantises = |ready: &&Ready| matches!(ready.call.kernel, Kernel::Quantise(_));
        let own: Vec<_> = all().filter(|ready| ready.call.node == node && !quantises(ready)).collect();
        let integers = own.iter().any(|ready| ready.call.bindings.contains(&Bound::Integers));
        let before = all().filter(|ready| integers && quantises(ready) && Some(ready.call.node) == input).take(1);
        before.chain(own.iter().copied()).collect()
    }

    /// Fused calls, by their index.
    pub(super) fn fused(&self, calls: &Range<usize>) -> impl Iterator<Item = &Ready> {
        self.one.body.iter().chain(&self.one.head).skip(calls.start).take(calls.len())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Ready> {
        let lists = [&self.one, &self.few, &self.many];
        lists.into_iter().flat_map(|list| list.body.iter().chain(&list.head)).chain(&self.best)
    }
}

/// A call with what wgpu needs for it.
pub(super) struct Ready {
    pub(super) call: Call,
    pub(super) pipeline: Pipeline,
    /// Storage buffers that it sees, the cache's two among them.
    pub(super) storage_buffers: usize,
    /// Bytes of the largest of them, the cache left out.
    pub(super) largest_binding: u64,
    pub(super) group: BindGroup,
}

/// What a chunk is.
pub(super) struct Chunk<'a> {
    pub(super) ids: &'a [u32],
    pub(super) position: usize,
    pub(super) wanted: Range<usize>,
    /// Of one wanted row, only these.
    pub(super) best: Option<Best>,
    /// Its nodes are run one by one.
    pub(super) alone: bool,
}

impl Chunk<'_> {
    /// How many rows a call has.
    pub(super) fn rows(&self, rows: Rows) -> usize {
        if rows == Rows::All { self.ids.len() } else { self.wanted.len() }
    }

    /// Whether it is one token whose logits are wanted.
    pub(super) fn is_one(&self) -> bool {
        self.ids.len() == 1 && self.wanted.len() == 1 && !self.alone
    }
}

impl Ready {
    /// Starts it for so many rows.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, cache: &Cache, rows: usize) {
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        if let Some(slot) = self.call.slot {
            pass.set_bind_group(1, cache.group(slot.0), &[]);
        }
        let grid = &self.call.grid;
        pass.dispatch_workgroups(grid.x, grid.y(rows), grid.z);
    }
}
