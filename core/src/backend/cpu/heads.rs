//! The stage of attention: who takes which heads and rows of the cache, and how rows get into it.

#![allow(unsafe_code)] // Tasks write disjoint parts of the step's buffers.

use super::attend::{Element, Head, QUERIES, Query, append, attend};
use super::kv::{Layer, Store};
use super::pool::Team;
use super::simd::{Kernel, Simd};
use super::step::Step;
use crate::graph::{NodeId, SlotId};
use crate::ops::{Attend, Op};

/// Rows of queries that one attention task takes.
const QUERY_ROWS: usize = 8;

/// One layer's cache; both pointers are of the same element type.
#[derive(Clone, Copy)]
pub struct LayerPointers {
    keys: Elements,
    values: Elements,
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    window: Option<usize>,
}

#[derive(Clone, Copy)]
enum Elements {
    F16(*mut u16),
    F32(*mut f32),
}

impl LayerPointers {
    pub fn new(layer: &mut Layer) -> Self {
        let elements = |store: &mut Store| match store {
            Store::F16(x) => Elements::F16(x.as_mut_ptr()),
            Store::F32(x) => Elements::F32(x.as_mut_ptr()),
        };
        Self {
            keys: elements(&mut layer.keys),
            values: elements(&mut layer.values),
            kv_heads: layer.slot.kv_heads,
            head_dim: layer.slot.head_dim,
            capacity: layer.capacity,
            window: layer.slot.window,
        }
    }

    fn head<T>(&self, keys: *mut T, values: *mut T, kv_head: usize) -> Head<T> {
        let at = kv_head * self.capacity * self.head_dim;
        Head {
            keys: keys.wrapping_add(at),
            values: values.wrapping_add(at),
            capacity: self.capacity,
            head_dim: self.head_dim,
        }
    }
}

impl Step<'_> {
    /// Attention of the chunk's last `rows` rows, by key/value heads and rows; a single row by query heads.
    pub(super) fn attend(&self, team: &Team, id: NodeId, rows: usize) {
        let node = self.graph.node(id);
        let Op::Attend(op) = &node.op else { return };
        let (Some(q), Some(out)) = (self.value(node.inputs[0]), self.value(id)) else { return };
        let layer = self.buffers.layers[op.slot.0];
        let group = op.heads / layer.kv_heads;
        // Heads of one group share their keys, so a task takes as many as fit; a single row is split by heads, since
        // there are no rows to split by.
        let heads_a_task = if rows == 1 { 1 } else { group.min(QUERIES) };
        let rows_a_task = (QUERIES / heads_a_task).clamp(1, QUERY_ROWS);
        let head_tasks = layer.kv_heads * group.div_ceil(heads_a_task);
        let row_tasks = rows.div_ceil(rows_a_task);
        team.each(head_tasks * row_tasks, |task| {
            let (heads, part) = (task / row_tasks, task % row_tasks);
            let per_kv = group.div_ceil(heads_a_task);
            let kv_head = heads / per_kv;
            let first_head = kv_head * group + heads % per_kv * heads_a_task;
            let heads = first_head..(first_head + heads_a_task).min((kv_head + 1) * group);
            // Late rows see most, so they go first.
            let part = row_tasks - 1 - part;
            let part = part * rows_a_task..rows.min((part + 1) * rows_a_task);
            self.isa.run(AttendTask {
                op,
                layer,
                kv_head,
                heads,
                rows: part,
                q,
                out,
                width: node.width,
                position: self.position + self.rows - rows,
            });
        });
    }

    /// Writes one row's key and value to the cache.
    #[inline(always)]
    pub(super) fn append<S: Simd>(&self, simd: S, slot: SlotId, row: usize, key: &[f32], value: &[f32]) {
        let layer = self.buffers.layers[slot.0];
        let heads = key.chunks_exact(layer.head_dim).zip(value.chunks_exact(layer.head_dim));
        for (kv_head, (key, value)) in heads.enumerate() {
            let position = self.position + row;
            // SAFETY: the cache has room for the chunk; each row has its own position.
            unsafe {
                match (layer.keys, layer.values) {
                    (Elements::F16(k), Elements::F16(v)) => {
                        append(simd, layer.head(k, v, kv_head), position, key, value);
                    }
                    (Elements::F32(k), Elements::F32(v)) => {
                        append(simd, layer.head(k, v, kv_head), position, key, value);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Some query heads and rows of one key/value head.
struct AttendTask<'a> {
    op: &'a Attend,
    layer: LayerPointers,
    kv_head: usize,
    heads: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    q: *const f32,
    out: *mut f32,
    /// Floats in a row of queries.
    width: usize,
    /// Position of the first row of queries.
    position: usize,
}

impl Kernel for AttendTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match (self.layer.keys, self.layer.values) {
            (Elements::F16(k), Elements::F16(v)) => self.over(simd, self.layer.head(k, v, self.kv_head)),
            (Elements::F32(k), Elements::F32(v)) => self.over(simd, self.layer.head(k, v, self.kv_head)),
            _ => {}
        }
    }
}

impl AttendTask<'_> {
    #[inline(always)]
    fn over<S: Simd, T: Element>(&self, simd: S, head: Head<T>) {
        let mut queries = [Query { q: self.q, out: self.out, from: 0, to: 0 }; QUERIES];
        let mut n = 0;
        for row in self.rows.clone() {
            for h in self.heads.clone() {
                let at = row * self.width + h * head.head_dim;
                let to = self.position + row + 1;
                let from = self.layer.window.map_or(0, |w| to.saturating_sub(w));
                queries[n] = Query { q: self.q.wrapping_add(at), out: self.out.wrapping_add(at), from, to };
                n += 1;
            }
        }
        // SAFETY: the stage before has appended the chunk; these heads of these rows are this task's.
        unsafe { attend(simd, head, &queries[..n], self.op.scale, self.op.softcap) };
    }
}
