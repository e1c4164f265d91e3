//! One chunk through the stages, on all threads of the pool at once.
//!
//! Every thread walks the same list of stages. A stage hands out tasks; tasks of one stage write disjoint parts of the
//! buffers, and a barrier ends the stage, so what a stage reads has been written before.

#![allow(unsafe_code)] // Threads share the buffers; the stages' rule above keeps them apart.

use super::activations::{Activations, Pointers};
use super::attend::{Element, Head, QUERIES, Query, append, attend};
use super::floats::Floats;
use super::head::{Bounds, Halves};
use super::kv::{Cache, Layer, Store};
use super::matmul::{PASS, STRIP, Sums, UNIT, rows, unit};
use super::pool::Team;
use super::rows::{gated, rms_norm, rope, softcap};
use super::simd::{Isa, Kernel, Simd};
use super::{Held, Turns};
use crate::backend::{Cancel, FEW};
use crate::graph::{Graph, Node, NodeId, Rows, SlotId, WeightId};
use crate::ops::{Activation, Attend, Op, add, angle};
use crate::schedule::{Kind, Place, Schedule, Stage};
use crate::weights::Weights;
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Neighbouring rows that one task takes, so that threads do not write to the same cache lines in turns.
const ROWS: usize = 4;
/// Rows of queries that one attention task takes.
const QUERY_ROWS: usize = 8;
/// Strips that each thread should have at least, so that none waits long for another's last.
const STRIPS_EACH: usize = 8;

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
    /// How many of the last one's greatest logits are wanted, if not all.
    pub best: Option<usize>,
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
    bounds: *mut Bounds,
    layers: Vec<LayerPointers>,
    /// The first stage that is not to run.
    stop_at: AtomicUsize,
}

struct TurnTable {
    rope: crate::ops::Rope,
    frequencies: *const f32,
    pairs: usize,
    table: *mut (f32, f32),
}

/// One layer's cache; both pointers are of the same element type.
#[derive(Clone, Copy)]
struct LayerPointers {
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
            activations: activations.pointers(rows),
            logits: logits.as_mut_ptr(),
            turns: turns.iter_mut().map(table).collect(),
            bounds: bounds.as_mut_ptr(),
            layers: cache.layers.iter_mut().map(LayerPointers::new).collect(),
            stop_at: AtomicUsize::new(usize::MAX),
        }
    }
}

impl LayerPointers {
    fn new(layer: &mut Layer) -> Self {
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
            if rows == 0 {
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

    fn rows_of(&self, node: &Node) -> usize {
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
    fn value(&self, id: NodeId) -> Option<*mut f32> {
        match self.schedule.places[id.0]? {
            Place::Scratch { offset } => Some(self.buffers.scratch.wrapping_add(offset * self.buffers.chunk)),
            Place::Logits => Some(self.buffers.logits),
        }
    }

    /// One row of a value that an earlier stage, or this task, has written.
    fn row(&self, id: NodeId, row: usize) -> &[f32] {
        let width = self.graph.node(id).width;
        // SAFETY: the place has room for the chunk's rows.
        self.value(id).map_or(&[], |at| unsafe { from_raw_parts(at.add(row * width), width) })
    }

    /// One row of a value of this stage.
    ///
    /// # Safety
    /// No other task may use this row meanwhile.
    #[allow(clippy::mut_from_ref)]
    unsafe fn row_mut(&self, id: NodeId, row: usize) -> &mut [f32] {
        let width = self.graph.node(id).width;
        // SAFETY: the place has room for the chunk's rows; the caller keeps others away.
        self.value(id).map_or(&mut [], |at| unsafe { from_raw_parts_mut(at.add(row * width), width) })
    }

    fn vector(&self, id: WeightId) -> &[f32] {
        match &self.held[id.0] {
            Held::Vector(v) => v,
            _ => &[],
        }
    }

    /// Products of one value with the stage's weights, by units of weight rows.
    fn matmul(&self, team: &Team, index: usize, stage: &Stage, rows: usize) {
        let input = self.graph.node(stage.nodes[0]).inputs[0];
        let quantised = index > 0 && self.quantises[index - 1] == Some(input);
        if !quantised && stage.nodes.iter().any(|id| packed(self.graph, self.held, *id)) {
            each_row(team, rows, |row| {
                self.isa.run(Quantise { to: self.buffers.activations_of(rows), x: self.row(input, row), row });
            });
        }
        if let Some(head) = self.head(stage, rows) {
            return head.run(self.isa, team);
        }
        // A single row takes its weights by strips, unless there are too few to share them out evenly.
        let products = if stage.kind == Kind::Gated { &stage.nodes[..1] } else { &stage.nodes[..] };
        let count = |size: usize| products.iter().map(|id| self.graph.node(*id).width.div_ceil(size)).sum::<usize>();
        let strips = rows == 1 && count(STRIP) >= STRIPS_EACH * team.threads();
        let size = if strips { STRIP } else { UNIT };
        let total = count(size);
        // Few enough calls to be cheap, enough to be even.
        let each = if rows == 1 { (total / (team.threads() * 32)).clamp(1, 4) } else { 1 };
        team.each(total.div_ceil(each), |call| {
            for mut at in call * each..total.min((call + 1) * each) {
                for id in products {
                    let tasks = self.graph.node(*id).width.div_ceil(size);
                    if at >= tasks {
                        at -= tasks;
                        continue;
                    }
                    match (stage.kind, rows) {
                        (Kind::Gated, 1) => self.gated_row(stage, at * size, size),
                        (Kind::Gated, _) => self.gated_unit(stage, at, rows),
                        (_, 1) => self.matmul_row(*id, at * size, size),
                        _ => self.matmul_unit(*id, at, rows),
                    }
                    break;
                }
            }
        });
    }

    /// The head, where it is read by halves and not all of its logits are wanted.
    fn head(&self, stage: &Stage, rows: usize) -> Option<Halves<'_>> {
        let best = self.best.filter(|best| rows == 1 && *best <= FEW)?;
        let id = self.graph.logits();
        let (Op::Matmul(op), [only]) = (&self.graph.node(id).op, &stage.nodes[..]) else { return None };
        let Held::Packed(matrix) = &self.held[op.weight.0] else { return None };
        if *only != id || !matrix.layout().is_halved() {
            return None;
        }
        let (x, bounds, logits) = (self.buffers.activations_of(1), self.buffers.bounds, self.value(id)?);
        Some(Halves { matrix, x, best, bounds, logits })
    }

    /// `size` weight rows from `first` of one product of the chunk's only row, written to its place.
    fn matmul_row(&self, id: NodeId, first: usize, size: usize) {
        let mut sums = [0.0; STRIP];
        self.row_product(id, first, &mut sums[..size]);
        self.write_row(id, first, &sums[..size]);
    }

    /// As many of a gate and its value, and their product.
    fn gated_row(&self, stage: &Stage, first: usize, size: usize) {
        let [gate, up, act] = stage.nodes[..] else { return };
        let Op::Gated(op) = &self.graph.node(act).op else { return };
        let [mut g, mut u] = [[0.0; STRIP]; 2];
        let (g, u) = (&mut g[..size], &mut u[..size]);
        self.row_product(gate, first, g);
        self.row_product(up, first, u);
        if self.value(gate).is_some() {
            self.write_row(gate, first, g);
            self.write_row(up, first, u);
        }
        self.isa.run(Gate { activation: op.activation, gate: g, up: u });
        self.write_row(act, first, g);
    }

    /// Sums of weight rows from `first` for the chunk's only row, bias included.
    fn row_product(&self, id: NodeId, first: usize, sums: &mut [f32]) {
        let node = self.graph.node(id);
        let Op::Matmul(op) = &node.op else { return };
        match &self.held[op.weight.0] {
            Held::Packed(matrix) => rows(self.isa, matrix, &self.buffers.activations_of(1), first, 0, sums),
            Held::Mapped => {
                let units = sums.as_chunks_mut::<UNIT>().0;
                for (i, sums) in units.iter_mut().enumerate() {
                    self.float_product(node, op.weight, first / UNIT + i, 0, std::slice::from_mut(sums));
                }
            }
            Held::Vector(_) => {}
        }
        if let Some(bias) = op.bias {
            for (sum, bias) in sums.iter_mut().zip(self.vector(bias).get(first..).unwrap_or_default()) {
                *sum += bias;
            }
        }
    }

    /// Copies sums from column `first` to the place of a value of one row; those beyond its width are padding.
    fn write_row(&self, id: NodeId, first: usize, sums: &[f32]) {
        let len = sums.len().min(self.graph.node(id).width - first);
        let Some(to) = self.value(id) else { return };
        // SAFETY: these columns are this task's.
        unsafe { from_raw_parts_mut(to.add(first), len) }.copy_from_slice(&sums[..len]);
    }

    /// One unit of one product, written to its place.
    fn matmul_unit(&self, id: NodeId, at: usize, rows: usize) {
        let mut sums: Sums = [[0.0; UNIT]; PASS];
        for first in (0..rows).step_by(PASS) {
            let count = PASS.min(rows - first);
            self.product(id, at, first, count, rows, &mut sums);
            self.write(id, at, first, &sums[..count]);
        }
    }

    /// One unit of a gate and its value, and their product.
    fn gated_unit(&self, stage: &Stage, at: usize, rows: usize) {
        let [gate, up, act] = stage.nodes[..] else { return };
        let Op::Gated(op) = &self.graph.node(act).op else { return };
        let mut g: Sums = [[0.0; UNIT]; PASS];
        let mut u: Sums = [[0.0; UNIT]; PASS];
        for first in (0..rows).step_by(PASS) {
            let count = PASS.min(rows - first);
            self.product(gate, at, first, count, rows, &mut g);
            self.product(up, at, first, count, rows, &mut u);
            if self.value(gate).is_some() {
                self.write(gate, at, first, &g[..count]);
                self.write(up, at, first, &u[..count]);
            }
            let (gate, up) = (g[..count].as_flattened_mut(), u[..count].as_flattened());
            self.isa.run(Gate { activation: op.activation, gate, up });
            self.write(act, at, first, &g[..count]);
        }
    }

    /// Sums of one unit for some rows of the chunk, bias included.
    fn product(&self, id: NodeId, at: usize, first: usize, count: usize, rows: usize, sums: &mut Sums) {
        let node = self.graph.node(id);
        let Op::Matmul(op) = &node.op else { return };
        match &self.held[op.weight.0] {
            Held::Packed(matrix) => unit(self.isa, matrix, &self.buffers.activations_of(rows), at, first, count, sums),
            Held::Mapped => self.float_product(node, op.weight, at, first, &mut sums[..count]),
            Held::Vector(_) => {}
        }
        if let Some(bias) = op.bias {
            let bias = &self.vector(bias)[at * UNIT..];
            for sums in &mut sums[..count] {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum += bias;
                }
            }
        }
    }

    fn float_product(&self, node: &Node, weight: WeightId, at: usize, first: usize, sums: &mut [[f32; UNIT]]) {
        let (format, bytes) = (self.weights.format(weight), self.weights.bytes(weight));
        let cols = self.graph.weight(weight).cols;
        let row_bytes = cols / format.weights * format.bytes;
        let last = node.width.min((at + 1) * UNIT);
        let Some(x) = self.value(node.inputs[0]) else { return };
        // SAFETY: an earlier stage has written all rows of the input.
        let x = unsafe { from_raw_parts(x.add(first * cols), sums.len() * cols) };
        self.isa.run(Floats { format, bytes: &bytes[at * UNIT * row_bytes..last * row_bytes], cols, x, sums });
    }

    /// Copies a unit's sums to the value's place.
    fn write(&self, id: NodeId, at: usize, first: usize, sums: &[[f32; UNIT]]) {
        let width = self.graph.node(id).width;
        let Some(to) = self.value(id) else { return };
        let len = UNIT.min(width - at * UNIT);
        for (row, sums) in sums.iter().enumerate() {
            // SAFETY: these columns of these rows are this task's.
            unsafe { from_raw_parts_mut(to.add((first + row) * width + at * UNIT), len) }.copy_from_slice(&sums[..len]);
        }
    }

    /// Attention of the chunk's last `rows` rows, by key/value heads and rows; a single row by query heads.
    fn attend(&self, team: &Team, id: NodeId, rows: usize) {
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
}

/// Runs `task` for each row, neighbours on one thread.
fn each_row(team: &Team, rows: usize, task: impl Fn(usize)) {
    team.each(rows.div_ceil(ROWS), |part| (part * ROWS..rows.min((part + 1) * ROWS)).for_each(&task));
}

impl Buffers {
    /// The quantised input of a stage with `rows` rows.
    fn activations_of(&self, rows: usize) -> Pointers {
        self.activations.with_rows(rows)
    }
}

/// Quantises one row.
struct Quantise<'a> {
    to: Pointers,
    x: &'a [f32],
    row: usize,
}

impl Kernel for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        // SAFETY: one task a row; the input is as wide as some product's, which the buffer was made for.
        unsafe { self.to.quantise(self.row, self.x) };
    }
}

/// Replaces a gate by `activation(gate) * up`.
struct Gate<'a> {
    activation: Activation,
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl Kernel for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (gate, up) in self.gate.as_chunks_mut::<UNIT>().0.iter_mut().zip(self.up.as_chunks::<UNIT>().0) {
            let x = *gate;
            gated(simd, self.activation, &x, up, gate);
        }
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
            Quantise { to: step.buffers.activations_of(rows), x: step.row(id, row), row }.run(simd);
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

    #[inline(always)]
    fn append<S: Simd>(&self, simd: S, slot: SlotId, row: usize, key: &[f32], value: &[f32]) {
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
