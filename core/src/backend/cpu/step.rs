//! One chunk through the stages, on all threads of the pool at once.
//!
//! Every thread walks the same list of stages. A stage hands out tasks; tasks of one stage write disjoint parts of the
//! buffers, and a barrier ends the stage, so what a stage reads has been written before.

#![allow(unsafe_code)] // Threads share the buffers; the stages' rule above keeps them apart.

use super::activations::{Activations, Pointers};
use super::head::Bounds;
use super::heads::LayerPointers;
use super::kv::Cache;
use super::pool::Team;
use super::rows::{gated, rms_norm, rope, softcap};
use super::simd::{Isa, Kernel, Simd};
use super::{Held, Turns};
use crate::backend::{Best, Cancel};
use crate::graph::{Graph, Node, NodeId, Rows, WeightId};
use crate::ops::{Op, add, angle};
use crate::precision::Activations as Precision;
use crate::schedule::{Kind, Place, Schedule};
use crate::weights::Weights;
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Neighbouring rows that one task takes, so that threads do not write to the same cache lines in turns.
const ROWS: usize = 4;
/// Everything that the stages of one chunk need.
pub struct Step<'a> {
    pub graph: &'a Graph,
    pub schedule: &'a Schedule,
    pub weights: &'a Weights,
    pub held: &'a [Held],
    pub quantises: &'a [Option<NodeId>],
    pub isa: Isa,
    pub ids: &'a [u32],
    /// Position of the first token.
    pub position: usize,
    /// Tokens of the chunk.
    pub rows: usize,
    /// How many of the last ones' logits are wanted.
    pub wanted: usize,
    /// Which of the last one's logits are wanted, if not all.
    pub best: Option<Best>,
    /// How values enter products.
    pub activations: Precision,
    /// The one stage that is run, if not all.
    pub only: Option<usize>,
    pub cancel: &'a Cancel,
    pub buffers: Buffers,
}

/// Where the chunk's values lie.
pub struct Buffers {
    scratch: *mut f32,
    /// Rows that the scratch memory is laid out for.
    chunk: usize,
    activations: Pointers,
    logits: *mut f32,
    turns: Vec<TurnTable>,
    pub(super) bounds: *mut Bounds,
    pub(super) layers: Vec<LayerPointers>,
    /// The first stage that is not to run.
    stop_at: AtomicUsize,
}

struct TurnTable {
    rope: crate::ops::Rope,
    frequencies: *const f32,
    pairs: usize,
    table: *mut (f32, f32),
}

// SAFETY: tasks of a stage write disjoint parts, and a barrier lies between a write and a read.
unsafe impl Sync for Buffers {}

impl Buffers {
    /// Pointers into the program's and the session's memory.
    pub fn new(
        scratch: &mut [f32],
        chunk: usize,
        activations: &mut Activations,
        rows: usize,
        logits: &mut [f32],
        turns: &mut [Turns],
        bounds: &mut [Bounds],
        cache: &mut Cache,
    ) -> Self {
        let table = |t: &mut Turns| TurnTable {
            rope: t.rope.clone(),
            frequencies: t.frequencies.as_ptr(),
            pairs: t.frequencies.len(),
            table: t.table.as_mut_ptr(),
        };
        Self {
            scratch: scratch.as_mut_ptr(),
            chunk,
            activations: activations.pointers(rows, true),
            logits: logits.as_mut_ptr(),
            turns: turns.iter_mut().map(table).collect(),
            bounds: bounds.as_mut_ptr(),
            layers: cache.layers.iter_mut().map(LayerPointers::new).collect(),
            stop_at: AtomicUsize::new(usize::MAX),
        }
    }
}

/// Whether a product's weight is packed, so that its input must be quantised.
pub fn packed(graph: &Graph, held: &[Held], id: NodeId) -> bool {
    matches!(&graph.node(id).op, Op::Matmul(op) if matches!(held[op.weight.0], Held::Packed(_)))
}

impl Step<'_> {
    /// What each thread does.
    pub fn run(&self, team: &Team) {
        each_row(team, self.rows, |row| self.turn(row));
        for (i, stage) in self.schedule.stages.iter().enumerate() {
            // Threads must agree, so only one of them asks, and its answer holds from the next stage on.
            if team.index == 0 && self.cancel.is_cancelled() {
                self.buffers.stop_at.fetch_min(i + 1, Ordering::Relaxed);
            }
            if i >= self.buffers.stop_at.load(Ordering::Relaxed) {
                return;
            }
            let rows = self.rows_of(self.graph.node(stage.nodes[0]));
            if rows == 0 || self.only.is_some_and(|only| only != i) {
                continue;
            }
            match stage.kind {
                Kind::Rows => each_row(team, rows, |row| self.isa.run(RowTask { step: self, stage: i, row })),
                Kind::Matmul | Kind::Gated => self.matmul(team, i, stage, rows),
                Kind::Attend => self.attend(team, stage.nodes[0], rows),
            }
        }
    }

    /// Whether the stages were not all run.
    pub fn was_cancelled(&self) -> bool {
        self.buffers.stop_at.load(Ordering::Relaxed) < self.schedule.stages.len()
    }

    pub(super) fn rows_of(&self, node: &Node) -> usize {
        match node.rows {
            Rows::All => self.rows,
            Rows::Wanted => self.wanted,
        }
    }

    /// Fills the angles of one row.
    fn turn(&self, row: usize) {
        for t in &self.buffers.turns {
            // SAFETY: the table has room for a chunk's rows; this row is this task's.
            unsafe {
                let frequencies = from_raw_parts(t.frequencies, t.pairs);
                let table = from_raw_parts_mut(t.table.add(row * t.pairs), t.pairs);
                for (turn, frequency) in table.iter_mut().zip(frequencies) {
                    *turn = angle(*frequency, self.position + row);
                }
            }
        }
    }

    /// Where a value begins; `None` where the schedule gives it no place.
    pub(super) fn value(&self, id: NodeId) -> Option<*mut f32> {
        match self.schedule.places[id.0]? {
            Place::Scratch { offset } => Some(self.buffers.scratch.wrapping_add(offset * self.buffers.chunk)),
            Place::Logits => Some(self.buffers.logits),
        }
    }

    /// One row of a value that an earlier stage, or this task, has written.
    pub(super) fn row(&self, id: NodeId, row: usize) -> &[f32] {
        let width = self.graph.node(id).width;
        // SAFETY: the place has room for the chunk's rows.
        self.value(id).map_or(&[], |at| unsafe { from_raw_parts(at.add(row * width), width) })
    }

    /// One row of a value of this stage.
    ///
    /// # Safety
    /// No other task may use this row meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn row_mut(&self, id: NodeId, row: usize) -> &mut [f32] {
        let width = self.graph.node(id).width;
        // SAFETY: the place has room for the chunk's rows; the caller keeps others away.
        self.value(id).map_or(&mut [], |at| unsafe { from_raw_parts_mut(at.add(row * width), width) })
    }

    pub(super) fn vector(&self, id: WeightId) -> &[f32] {
        match &self.held[id.0] {
            Held::Vector(v) => v,
            _ => &[],
        }
    }
}

/// Runs `task` for each row, neighbours on one thread.
pub(super) fn each_row(team: &Team, rows: usize, task: impl Fn(usize)) {
    team.each(rows.div_ceil(ROWS), |part| (part * ROWS..rows.min((part + 1) * ROWS)).for_each(&task));
}

impl Step<'_> {
    /// `rows` quantised rows of a value.
    pub(super) fn integers(&self, value: NodeId, rows: usize) -> Pointers {
        self.buffers.activations.with(rows, self.graph.entering(value, self.activations) == Precision::Int16)
    }
}

/// Quantises one row.
pub(super) struct Quantise<'a> {
    pub to: Pointers,
    pub x: &'a [f32],
    pub row: usize,
}

impl Kernel for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        // SAFETY: one task a row; the input is as wide as some product's, which the buffer was made for.
        unsafe { self.to.quantise(self.row, self.x) };
    }
}

/// One row through all nodes of a stage.
struct RowTask<'a> {
    step: &'a Step<'a>,
    stage: usize,
    row: usize,
}

impl Kernel for RowTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (step, row) = (self.step, self.row);
        let stage = &step.schedule.stages[self.stage];
        for id in &stage.nodes {
            let node = step.graph.node(*id);
            // SAFETY: one task a row; inputs are of earlier stages or written above by this task.
            let out = unsafe { step.row_mut(*id, row) };
            let input = |i: usize| step.row(node.inputs[i], row);
            match &node.op {
                Op::Embed(op) => {
                    step.embed(op.table, step.ids[row], out);
                    op.reference(out);
                }
                Op::RmsNorm(op) => rms_norm(op, input(0), step.vector(op.weight), out),
                Op::Rope(op) => {
                    if let Some(t) = step.buffers.turns.iter().find(|t| t.rope == *op) {
                        // SAFETY: the table has room for a chunk's rows, filled before the first stage.
                        let turns = unsafe { from_raw_parts(t.table.add(row * t.pairs), t.pairs) };
                        rope(op, turns, input(0), out);
                    }
                }
                Op::Append(slot) => step.append(simd, *slot, row, input(0), input(1)),
                Op::Add => add(input(0), input(1), out),
                Op::Gated(op) => gated(simd, op.activation, input(0), input(1), out),
                Op::Softcap(op) => {
                    // The logits and what they are capped from share their place.
                    if step.value(node.inputs[0]) != step.value(*id) {
                        out.copy_from_slice(input(0));
                    }
                    softcap(simd, op.cap, out);
                }
                Op::PickRows => out.copy_from_slice(step.row(node.inputs[0], step.rows - step.wanted + row)),
                Op::Matmul(_) | Op::Attend(_) => {}
            }
        }
        if let Some(id) = step.quantises[self.stage] {
            let rows = step.rows_of(step.graph.node(id));
            Quantise { to: step.integers(id, rows), x: step.row(id, row), row }.run(simd);
        }
    }
}

impl Step<'_> {
    /// One row of a table, from wherever it is held.
    fn embed(&self, table: WeightId, id: u32, out: &mut [f32]) {
        if let Held::Packed(packed) = &self.held[table.0] {
            return packed.unpack_row(id as usize, out);
        }
        let (format, bytes) = (self.weights.format(table), self.weights.bytes(table));
        let row_bytes = out.len() / format.weights * format.bytes;
        (format.dequantise)(&bytes[id as usize * row_bytes..][..row_bytes], out);
    }
}
