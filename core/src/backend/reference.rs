//! The reference interpreter: every node in turn, in f32, by the loops that define its operation.
//!
//! This is the specification that other backends are compared with, so it is written to be read. It takes two
//! liberties for speed: a weight row is dequantised once for all tokens of a chunk, and independent rows are spread
//! over threads. Neither changes a result by a bit. Values of the last chunk are all kept.

use super::{Alone, Cancel, Device, Lines, Memory, Program, State, Want, not_of_this_model};
use crate::graph::{Graph, Node, NodeId, Role, Rows, Slot, SlotId, WeightId};
use crate::ops::{Attend, Matmul, Op, add};
use crate::weights::Weights;
use crate::{Error, Result};
use std::any::Any;
use std::ops::Range;

/// A graph with its weights, run by plain loops.
pub struct Reference {
    graph: Graph,
    weights: Weights,
    /// Weights of [`Role::Vector`] as floats, by weight; empty for the others.
    vectors: Vec<Vec<f32>>,
    /// Outputs of the last chunk's nodes, `[rows, width]` each.
    values: Vec<Vec<f32>>,
    threads: usize,
    chunk: usize,
}

/// Keys and values of one conversation.
#[derive(Clone)]
struct Cache {
    slots: Vec<Slot>,
    lines: Vec<Kept>,
    position: usize,
    context: usize,
    /// Slots with a window were restored without what came before.
    first: usize,
}

/// One slot's keys and values, `[positions, kv_heads * head_dim]` each. Windows are applied when reading.
#[derive(Clone, Default)]
struct Kept {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// What a chunk asks for.
struct Step<'a> {
    ids: &'a [u32],
    /// Rows whose logits are wanted.
    wanted: Range<usize>,
    /// Of the first row.
    position: usize,
}

impl Reference {
    /// Takes `threads` threads (1 or more) and feeds `chunk` tokens (1 or more) at a time.
    pub fn prepare(graph: Graph, weights: Weights, threads: usize, chunk: usize) -> Result<Self> {
        for (name, value) in [("threads", threads), ("prefill_chunk", chunk)] {
            if value == 0 {
                return Err(Error::Option { name: name.into(), what: "is 0; give 1 or more".into() });
            }
        }
        let vectors = graph.weights.iter().enumerate().map(|(i, spec)| match spec.role {
            Role::Vector => weights.dequantise(WeightId(i)),
            Role::Matrix | Role::Table | Role::TiedTable => Vec::new(),
        });
        let vectors = vectors.collect();
        let values = vec![Vec::new(); graph.nodes.len()];
        Ok(Self { graph, weights, vectors, values, threads, chunk })
    }

    /// Runs every node for one chunk and leaves their outputs in `values`.
    fn step(&mut self, cache: &mut Cache, step: &Step, cancel: &Cancel) -> Result<()> {
        for i in 0..self.graph.nodes.len() {
            cancel.check()?;
            let mut out = std::mem::take(&mut self.values[i]);
            self.evaluate(&self.graph.nodes[i], cache, step, &mut out)?;
            self.values[i] = out;
        }
        Ok(())
    }

    /// One node: its inputs' values in, its own value out.
    fn evaluate(&self, node: &Node, cache: &mut Cache, step: &Step, out: &mut Vec<f32>) -> Result<()> {
        let rows = match node.rows {
            Rows::All => step.ids.len(),
            Rows::Wanted => step.wanted.len(),
        };
        out.clear();
        out.resize(rows * node.width, 0.0);
        let input = |n: usize| self.values[node.inputs[n].0].as_slice();

        match &node.op {
            Op::Embed(op) => {
                for (out, id) in out.chunks_exact_mut(node.width).zip(step.ids) {
                    self.weight_row(op.table, *id as usize, out);
                    op.reference(out);
                }
            }
            Op::RmsNorm(op) => op.reference(input(0), &self.vectors[op.weight.0], out),
            Op::Matmul(op) => self.matmul(op, rows, input(0), out)?,
            Op::Rope(op) => {
                let frequencies = op.frequencies(op.factors.map(|id| self.vectors[id.0].as_slice()));
                let rows = input(0).chunks_exact(node.width).zip(out.chunks_exact_mut(node.width));
                for (row, (x, out)) in rows.enumerate() {
                    op.reference(&frequencies, step.position + row, x, out);
                }
            }
            Op::Append(slot) => cache.append(*slot, step.position, input(0), input(1)),
            Op::Attend(op) => {
                let first = if node.rows == Rows::Wanted { step.wanted.start } else { 0 };
                self.attend(op, cache, step.position + first, input(0), out)?;
            }
            Op::Add => add(input(0), input(1), out),
            Op::Gated(op) => op.reference(input(0), input(1), out),
            Op::Softcap(op) => op.reference(input(0), out),
            Op::PickRows => {
                out.copy_from_slice(&input(0)[step.wanted.start * node.width..step.wanted.end * node.width]);
            }
        }
        Ok(())
    }

    /// `x` `[rows, in]` times a matrix `[width, in]`, each of whose rows is dequantised once.
    fn matmul(&self, op: &Matmul, rows: usize, x: &[f32], out: &mut [f32]) -> Result<()> {
        let spec = self.graph.weight(op.weight);
        let mut columns = vec![0.0; out.len()]; // [width, rows]: what one weight row makes lies together
        spread(self.threads, rows, &mut columns, |first, columns| {
            let mut weight = vec![0.0; spec.cols];
            for (i, column) in columns.chunks_exact_mut(rows).enumerate() {
                self.weight_row(op.weight, first + i, &mut weight);
                let bias = op.bias.map_or(0.0, |id| self.vectors[id.0][first + i]);
                Matmul::reference(x, &weight, bias, column);
            }
        })?;
        for (t, out) in out.chunks_exact_mut(spec.rows).enumerate() {
            for (out, column) in out.iter_mut().zip(columns.chunks_exact(rows)) {
                *out = column[t];
            }
        }
        Ok(())
    }

    /// Queries `q` `[rows, heads * head_dim]` over the positions that each may see; `position` is the first one's.
    fn attend(&self, op: &Attend, cache: &Cache, position: usize, q: &[f32], out: &mut [f32]) -> Result<()> {
        let slot = &cache.slots[op.slot.0];
        let lines = &cache.lines[op.slot.0];
        let shared = op.heads / slot.kv_heads; // query heads that share a key/value head
        spread(self.threads, slot.head_dim, out, |first, out| {
            let heads = q.chunks_exact(slot.head_dim).skip(first).zip(out.chunks_exact_mut(slot.head_dim));
            for (i, (q, out)) in (first..).zip(heads) {
                let (row, kv_head) = (i / op.heads, i % op.heads / shared);
                let end = position + row + 1;
                let start = slot.window.map_or(0, |window| end.saturating_sub(window));
                let keys = head(slot, &lines.keys, start..end, kv_head);
                let values = head(slot, &lines.values, start..end, kv_head);
                op.reference(q, keys, values, out);
            }
        })
    }

    /// Dequantises row `row` of a matrix into `out` `[cols]`.
    fn weight_row(&self, id: WeightId, row: usize, out: &mut [f32]) {
        let format = self.weights.format(id);
        let bytes = out.len() / format.weights * format.bytes;
        (format.dequantise)(&self.weights.bytes(id)[row * bytes..(row + 1) * bytes], out);
    }
}

impl Program for Reference {
    fn device(&self) -> Device {
        Device::new("reference", format!("f32, plain loops, {} threads", self.threads))
    }

    fn memory(&self, context: usize) -> Memory {
        let weights = (0..self.graph.weights.len()).map(|i| self.weights.bytes(WeightId(i)).len()).sum();
        let values: usize = self.graph.nodes.iter().map(|node| node.width).sum();
        let line: usize = self.graph.slots.iter().map(|slot| 2 * slot.width()).sum();
        Memory {
            weights,
            kv: context.saturating_mul(line * size_of::<f32>()),
            scratch: self.chunk.saturating_mul(values * size_of::<f32>()),
        }
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        let slots = self.graph.slots.clone();
        let lines = vec![Kept::default(); slots.len()];
        Ok(Box::new(Cache { slots, lines, position: 0, context, first: 0 }))
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let cache = state.as_any().downcast_mut::<Cache>().filter(|cache| cache.slots == self.graph.slots);
        let Some(cache) = cache else {
            return Err(Error::Option {
                name: "state".into(),
                what: "was made by another program, make it anew".into(),
            });
        };
        let vocab = self.graph.vocab();
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocab) {
            return Err(Error::TokenId { id: *id, vocab });
        }
        let needed = cache.position.saturating_add(ids.len());
        if needed > cache.context {
            return Err(Error::ContextFull { needed, context: cache.context });
        }

        logits.clear();
        let mut left = ids.len();
        for ids in ids.chunks(self.chunk) {
            left -= ids.len();
            let wanted = match want {
                Want::All => 0..ids.len(),
                Want::Last | Want::Best(_) if left == 0 => ids.len() - 1..ids.len(),
                Want::Last | Want::Best(_) | Want::Nothing => 0..0,
            };
            self.step(cache, &Step { ids, wanted, position: cache.position }, cancel)?;
            cache.position += ids.len();
            logits.extend(&self.values[self.graph.logits().0]);
        }
        Ok(())
    }

    fn run_node(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        let Some(cache) = state.as_any().downcast_mut::<Cache>().filter(|cache| cache.slots == self.graph.slots) else {
            return Ok(None);
        };
        let inputs = self.graph.node(alone.node).inputs.clone();
        for (input, value) in inputs.iter().zip(alone.inputs) {
            self.values[input.0] = value.to_vec();
        }
        let wanted = alone.ids.len() - alone.wanted..alone.ids.len();
        let step = Step { ids: alone.ids, wanted, position: cache.position };
        let mut out = Vec::new();
        self.evaluate(self.graph.node(alone.node), cache, &step, &mut out)?;
        Ok(Some(out))
    }

    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        self.values.get(node.0).filter(|value| !value.is_empty()).cloned()
    }
}

impl Cache {
    /// Writes keys and values from `position` on, over what a run that failed may have left there.
    fn append(&mut self, slot: SlotId, position: usize, keys: &[f32], values: &[f32]) {
        let width = self.slots[slot.0].width();
        let lines = &mut self.lines[slot.0];
        for (line, new) in [(&mut lines.keys, keys), (&mut lines.values, values)] {
            line.truncate(position * width);
            line.extend_from_slice(new);
        }
    }
}

impl State for Cache {
    fn position(&self) -> usize {
        self.position
    }

    fn context(&self) -> usize {
        self.context
    }

    fn truncate(&mut self, to: usize) -> Result<()> {
        let mut windowed = self.slots.iter().filter(|slot| slot.window.is_some());
        if to < self.position && windowed.any(|slot| slot.first_seen(to) < self.first) {
            return Err(Error::Rollback { to });
        }
        self.position = self.position.min(to);
        if self.position == 0 {
            self.first = 0;
        }
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn State>> {
        Ok(Box::new(self.clone()))
    }

    fn advance(&mut self, count: usize) {
        self.position += count;
    }

    fn save(&self, layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        for (slot, kept) in self.slots.iter().zip(&self.lines) {
            let len = self.position * slot.width();
            // A restored cache has zeros in place of what its window no longer needs.
            let first = if slot.window.is_some() { slot.first_seen(self.position).max(self.first) } else { 0 };
            let first = first.min(self.position);
            let start = (first * slot.width()).min(len);
            let (keys, values) = (kept.keys[start..len].to_vec(), kept.values[start..len].to_vec());
            layer(Lines { first, keys, values })?;
        }
        Ok(())
    }

    fn restore(&mut self, ids: &[u32], layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        for (slot, kept) in self.slots.iter().zip(&mut self.lines) {
            let lines = layers.next().ok_or_else(|| not_of_this_model("a layer is missing"))??;
            lines.check(slot, ids.len())?;
            self.first = self.first.max(lines.first);
            let before = vec![0.0; lines.first * slot.width()];
            kept.keys = [before.clone(), lines.keys].concat();
            kept.values = [before, lines.values].concat();
        }
        self.position = ids.len();
        Ok(true)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// One head's part of a slot's lines at some positions.
fn head<'a>(slot: &Slot, lines: &'a [f32], positions: Range<usize>, head: usize) -> impl Iterator<Item = &'a [f32]> {
    let width = slot.width();
    let columns = head * slot.head_dim..(head + 1) * slot.head_dim;
    lines[positions.start * width..positions.end * width].chunks_exact(width).map(move |line| &line[columns.clone()])
}

/// Cuts `out` into one part of whole rows a thread; `fill` gets the index of a part's first row, and the part.
fn spread(threads: usize, width: usize, out: &mut [f32], fill: impl Fn(usize, &mut [f32]) + Sync) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let rows = (out.len() / width).div_ceil(threads);
    if threads == 1 || rows == 0 {
        fill(0, out);
        return Ok(());
    }
    let fill = &fill;
    std::thread::scope(|scope| {
        for (i, part) in out.chunks_mut(rows * width).enumerate() {
            let thread = std::thread::Builder::new().spawn_scoped(scope, move || fill(i * rows, part));
            if let Err(source) = thread {
                let what = format!("the system refused to start a thread ({source}); ask for fewer");
                return Err(Error::Option { name: "threads".into(), what });
            }
        }
        Ok(())
    })
}
