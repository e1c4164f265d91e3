//! The stage of products: who computes which weight rows, and where the sums go.

#![allow(unsafe_code)] // Tasks write disjoint parts of the step's buffers.

use super::Held;
use super::floats::Floats;
use super::head::Halves;
use super::matmul::{PASS, STRIP, Sums, UNIT, rows, unit};
use super::pool::Team;
use super::rows::gated;
use super::simd::{Kernel, Simd};
use super::step::{Quantise, Step, each_row, packed};
use crate::backend::FEW;
use crate::graph::{Node, NodeId, WeightId};
use crate::ops::{Activation, Op};
use crate::schedule::{Kind, Stage};
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// Strips that each thread should have at least, so that none waits long for another's last.
const STRIPS_EACH: usize = 8;

impl Step<'_> {
    /// Products of one value with the stage's weights, by units of weight rows.
    pub(super) fn matmul(&self, team: &Team, index: usize, stage: &Stage, rows: usize) {
        let input = self.graph.node(stage.nodes[0]).inputs[0];
        let quantised = index > 0 && self.quantises[index - 1] == Some(input);
        if !quantised && stage.nodes.iter().any(|id| packed(self.graph, self.held, *id)) {
            each_row(team, rows, |row| {
                self.isa.run(Quantise { to: self.integers(input, rows), x: self.row(input, row), row });
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
        let best = self.best.filter(|best| rows == 1 && best.count <= FEW)?;
        let id = self.graph.logits();
        let (Op::Matmul(op), [only]) = (&self.graph.node(id).op, &stage.nodes[..]) else { return None };
        let Held::Packed(matrix) = &self.held[op.weight.0] else { return None };
        if *only != id || !matrix.layout().is_halved() {
            return None;
        }
        let x = self.integers(self.graph.node(id).inputs[0], 1);
        let (bounds, logits) = (self.buffers.bounds, self.value(id)?);
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
            Held::Packed(matrix) => rows(self.isa, matrix, &self.integers(node.inputs[0], 1), first, 0, sums),
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
            Held::Packed(matrix) => {
                unit(self.isa, matrix, &self.integers(node.inputs[0], rows), at, first, count, sums);
            }
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
