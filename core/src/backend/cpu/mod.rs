//! The CPU backend: packed integer weights, vectors, threads. Runs a fused schedule with one wake-up of the thread pool
//! a chunk and no allocation a token.
//!
//! Results are the same bits for any number of threads, any split of a prompt into chunks, and any instruction set.

#![allow(
    clippy::inline_always,
    reason = "a kernel is compiled for its instruction set only if it is inlined into the function that enables it"
)]
#![allow(clippy::needless_range_loop, reason = "kernels index several arrays of one length side by side")]

mod activations;
mod attend;
mod floats;
mod head;
mod heads;
mod kv;
mod math;
mod matmul;
mod planes;
mod pool;
mod products;
mod rows;
mod simd;
mod step;
#[cfg(test)]
mod tests;

pub use kv::bytes as kv_bytes;
pub use simd::Isa;

use super::{Alone, Best, Cancel, Device, Memory, Program, Progress, State, Want};
use crate::graph::{Graph, NodeId, Role, Rows, WeightId, WeightSpec};
use crate::ops::{Op, Rope};
use crate::precision::{Activations as Precision, KvType};
use crate::quant::{Arena, Packed};
use crate::schedule::{Keep, Kind, Place, Schedule};
use crate::weights::Weights;
use crate::{Error, Result};
use activations::Activations;
use head::Bounds;
use kv::Cache;
use pool::Pool;
use step::{Buffers, Step};

/// Tokens of a vocabulary whose head is read by halves.
const LARGE_HEAD: usize = 8192;

/// How a program is prepared.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads, the caller's among them.
    pub threads: usize,
    /// Most tokens of a chunk.
    pub chunk: usize,
    /// How activations enter integer products.
    pub activations: Precision,
    /// How keys and values are stored.
    pub kv: KvType,
    /// One stage a node instead of fused stages.
    pub plain: bool,
    /// Which values stay readable.
    pub keep: Keep,
    /// The instruction set.
    pub isa: Isa,
}

/// More threads, or tokens of a chunk, are a mistake.
const MOST: usize = 1 << 16;

/// A weight as the kernels want it.
enum Held {
    Vector(Vec<f32>),
    Packed(Packed),
    /// As it lies in the file: plain floats, and tables of which only rows are read.
    Mapped,
}

/// A graph prepared for this processor.
pub struct Cpu {
    graph: Graph,
    schedule: Schedule,
    weights: Weights,
    held: Vec<Held>,
    options: Options,
    pool: Pool,
    /// Values of a chunk, where the schedule says.
    scratch: Vec<f32>,
    /// The input of the stage at work, as integers.
    activations: Activations,
    /// Sine and cosine of each kind of rope in the graph, `[rows][pairs]`.
    turns: Vec<Turns>,
    /// Of a head that is read by halves, one a unit of rows.
    bounds: Vec<Bounds>,
    /// By stage: the value that its rows quantise when they are done, for the next stage.
    quantises: Vec<Option<NodeId>>,
    /// Rows of the last chunk, for [`Program::read`].
    last_rows: (usize, usize),
}

/// Bytes that these stages will compute in: a chunk's values, its activations as integers, and one row of logits.
pub fn scratch_bytes(graph: &Graph, schedule: &Schedule, chunk: usize, isa: Isa) -> usize {
    let floats = schedule.floats.saturating_mul(chunk).saturating_add(graph.vocab());
    let integers = Activations::size(chunk, widest(graph), isa.multiplies_pairs());
    floats.saturating_mul(size_of::<f32>()).saturating_add(integers)
}

/// Columns of the widest product.
fn widest(graph: &Graph) -> usize {
    let products = graph.nodes.iter().filter(|node| matches!(node.op, Op::Matmul(_)));
    products.map(|node| graph.node(node.inputs[0]).width).max().unwrap_or(0)
}

/// Angles of one kind of rope at the chunk's positions.
struct Turns {
    rope: Rope,
    frequencies: Vec<f32>,
    table: Vec<(f32, f32)>,
}

impl Cpu {
    /// Packs the weights and plans memory. `progress` is told how many bytes of how many are done.
    pub fn prepare(graph: Graph, weights: Weights, options: Options, progress: &mut Progress<'_>) -> Result<Self> {
        for (name, value) in [("threads", options.threads), ("prefill_chunk", options.chunk)] {
            if !(1..=MOST).contains(&value) {
                return Err(Error::Option { name: name.into(), what: format!("is {value}; give 1 to {MOST}") });
            }
        }
        if options.activations == Precision::F32 {
            return Err(Error::Option {
                name: "activations".into(),
                what: "are f32, which only a GPU computes with; give int16 or int8, or take the device gpu".into(),
            });
        }
        let schedule = Schedule::of(&graph, options.plain, options.keep);
        let held = hold(&graph, &weights, options.threads, progress)?;
        let pairs = options.isa.multiplies_pairs();
        let turns = turns(&graph, &held, options.chunk)?;
        let quantises = quantises(&graph, &schedule, &held);
        let bounds = vec![Bounds::default(); graph.vocab().div_ceil(matmul::UNIT)];
        let floats = schedule.floats.saturating_mul(options.chunk);
        Ok(Self {
            schedule,
            weights,
            held,
            pool: Pool::new(options.threads),
            scratch: zeros(floats, "intermediate values")?,
            activations: Activations::new(options.chunk, widest(&graph), pairs)?,
            turns,
            bounds,
            quantises,
            options,
            graph,
            last_rows: (0, 0),
        })
    }

    /// Runs one chunk; `logits` has room for the wanted rows.
    fn chunk(
        &mut self,
        cache: &mut Cache,
        ids: &[u32],
        wanted: usize,
        best: Option<Best>,
        logits: &mut [f32],
        cancel: &Cancel,
    ) -> Result<()> {
        self.stages(cache, ids, wanted, best, None, logits, cancel)?;
        cache.advance(ids.len());
        self.last_rows = (ids.len(), wanted);
        Ok(())
    }

    /// Runs the stages of one chunk, or only one of them.
    #[allow(clippy::too_many_arguments)] // What a chunk is; they go into one struct at once.
    fn stages(
        &mut self,
        cache: &mut Cache,
        ids: &[u32],
        wanted: usize,
        best: Option<Best>,
        only: Option<usize>,
        logits: &mut [f32],
        cancel: &Cancel,
    ) -> Result<()> {
        cache.reserve(ids.len());
        // Alone, a product quantises its input itself.
        let none = vec![None; self.quantises.len()];
        let quantises = if only.is_some() { &none } else { &self.quantises };
        let step = Step {
            graph: &self.graph,
            schedule: &self.schedule,
            weights: &self.weights,
            held: &self.held,
            quantises,
            isa: self.options.isa,
            activations: self.options.activations,
            ids,
            position: cache.position,
            rows: ids.len(),
            wanted,
            best,
            only,
            cancel,
            buffers: Buffers::new(
                &mut self.scratch,
                self.options.chunk,
                &mut self.activations,
                ids.len(),
                logits,
                &mut self.turns,
                &mut self.bounds,
                cache,
            ),
        };
        self.pool.run(|team| step.run(team));
        if step.was_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl Program for Cpu {
    fn device(&self) -> Device {
        let bits = self.options.activations.describe();
        let threads = self.pool.threads();
        let detail =
            format!("{}, {threads} thread{}, {bits}", self.options.isa.name(), if threads == 1 { "" } else { "s" });
        Device::new("cpu", detail)
    }

    fn memory(&self, context: usize) -> Memory {
        let weights = self.held.iter().enumerate().map(|(i, held)| match held {
            Held::Vector(v) => 4 * v.len(),
            Held::Packed(p) => p.bytes(),
            Held::Mapped => self.weights.bytes(WeightId(i)).len(),
        });
        Memory {
            weights: weights.sum(),
            kv: kv_bytes(&self.graph.slots, context, self.options.chunk, self.options.kv),
            scratch: size_of::<f32>() * (self.scratch.len() + self.graph.vocab()) + self.activations.bytes(),
        }
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        Ok(Box::new(Cache::new(&self.graph.slots, context, self.options.chunk, self.options.kv)?))
    }

    fn share(&mut self, divisor: usize) {
        self.pool.use_threads(self.options.threads / divisor.max(1));
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let vocab = self.graph.vocab();
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocab) {
            return Err(Error::TokenId { id: *id, vocab });
        }
        let (position, context) = (state.position(), state.context());
        if position + ids.len() > context {
            return Err(Error::ContextFull { needed: position + ids.len(), context });
        }
        let cache = state.as_any().downcast_mut::<Cache>().ok_or_else(|| Error::Option {
            name: "state".into(),
            what: "belongs to another device; make it with the program that runs it".into(),
        })?;
        logits.clear();
        logits.resize(want.rows(ids.len()) * vocab, 0.0);
        let mut filled = 0;
        let chunks = ids.len().div_ceil(self.options.chunk);
        for (i, ids) in ids.chunks(self.options.chunk).enumerate() {
            cancel.check()?;
            let wanted = match want {
                Want::Last | Want::Best(_) if i + 1 < chunks => 0,
                want => want.rows(ids.len()),
            };
            let rows = filled..filled + wanted * vocab;
            filled = rows.end;
            let best = if let Want::Best(best) = want { Some(best) } else { None };
            self.chunk(cache, ids, wanted, best, &mut logits[rows], cancel)?;
        }
        Ok(())
    }

    fn run_node(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        let stage = self.schedule.stages.iter().position(|stage| stage.nodes == [alone.node]);
        let Some((stage, cache)) = stage.zip(state.as_any().downcast_mut::<Cache>()) else { return Ok(None) };
        if alone.ids.len() > self.options.chunk {
            return Ok(None);
        }
        let node = self.graph.node(alone.node);
        let rows = if node.rows == Rows::All { alone.ids.len() } else { alone.wanted };
        let len = rows * node.width;
        let mut logits = vec![0.0; alone.wanted * self.graph.vocab()];
        for (input, value) in node.inputs.iter().zip(alone.inputs) {
            match self.schedule.places[input.0] {
                Some(Place::Scratch { offset }) => {
                    self.scratch[offset * self.options.chunk..][..value.len()].copy_from_slice(value);
                }
                Some(Place::Logits) => logits[..value.len()].copy_from_slice(value),
                None => {} // It is in the cache.
            }
        }
        let place = self.schedule.places[alone.node.0];
        self.stages(cache, alone.ids, alone.wanted, None, Some(stage), &mut logits, &Cancel::default())?;
        Ok(Some(match place {
            Some(Place::Scratch { offset }) => self.scratch[offset * self.options.chunk..][..len].to_vec(),
            Some(Place::Logits) => logits,
            None => Vec::new(),
        }))
    }

    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        let (rows, wanted) = self.last_rows;
        match self.schedule.places.get(node.0)? {
            Some(Place::Scratch { offset }) if self.options.keep == Keep::All => {
                let node = self.graph.node(node);
                let rows = if node.rows == Rows::All { rows } else { wanted };
                let start = offset * self.options.chunk;
                Some(self.scratch[start..start + rows * node.width].to_vec())
            }
            _ => None,
        }
    }
}

/// Brings every weight into the form that kernels want, and lets go of the file's pages behind it.
fn hold(graph: &Graph, weights: &Weights, threads: usize, progress: &mut Progress<'_>) -> Result<Vec<Held>> {
    let all = (0..graph.weights.len()).map(|i| weights.bytes(WeightId(i)).len()).sum();
    let mut done = 0;
    let head = graph.head().filter(|id| graph.weight(*id).rows >= LARGE_HEAD);
    let packs = |i: usize| {
        let (layout, _) = weights.format(WeightId(i)).packed?;
        let layout = if head == Some(WeightId(i)) { layout.halved().unwrap_or(layout) } else { layout };
        matches!(graph.weights[i].role, Role::Matrix | Role::TiedTable).then_some(layout)
    };
    let size = |(i, spec): (usize, &WeightSpec)| packs(i).map(|layout| Packed::size(layout, spec.rows, spec.cols));
    let mut arena = Arena::new(graph.weights.iter().enumerate().filter_map(size))?;
    let mut held = Vec::with_capacity(graph.weights.len());
    for (i, spec) in graph.weights.iter().enumerate() {
        let id = WeightId(i);
        let format = weights.format(id);
        held.push(match (spec.role, packs(i)) {
            (Role::Vector, _) => Held::Vector(weights.dequantise(id)),
            (_, Some(layout)) => {
                let release = |part| weights.release(id, part);
                let (rows, cols, bytes) = (spec.rows, spec.cols, weights.bytes(id));
                Held::Packed(Packed::pack(format, layout, rows, cols, bytes, threads, &mut arena, &release)?)
            }
            (_, None) => Held::Mapped,
        });
        done += weights.bytes(id).len();
        progress(done, all)?;
    }
    Ok(held)
}

/// Zeros that take no memory until they are written.
fn zeros<T: bytemuck::Zeroable>(len: usize, what: &'static str) -> Result<Vec<T>> {
    bytemuck::allocation::try_zeroed_vec(len)
        .map_err(|()| Error::OutOfMemory { bytes: len.saturating_mul(size_of::<T>()), what })
}

/// One table for each kind of rope in the graph.
fn turns(graph: &Graph, held: &[Held], chunk: usize) -> Result<Vec<Turns>> {
    let mut turns: Vec<Turns> = Vec::new();
    for node in &graph.nodes {
        let Op::Rope(rope) = &node.op else { continue };
        if turns.iter().any(|t| t.rope == *rope) {
            continue;
        }
        let factors = rope.factors.and_then(|id| match &held[id.0] {
            Held::Vector(v) => Some(v.as_slice()),
            _ => None,
        });
        let frequencies = rope.frequencies(factors);
        let table = zeros(chunk.saturating_mul(frequencies.len()), "angles of positions")?;
        turns.push(Turns { rope: rope.clone(), table, frequencies });
    }
    Ok(turns)
}

/// For each stage of rows: the value of it that the next stage multiplies, if that is packed.
fn quantises(graph: &Graph, schedule: &Schedule, held: &[Held]) -> Vec<Option<NodeId>> {
    let input = |stage: usize| {
        let stage = schedule.stages.get(stage)?;
        let node = graph.node(*stage.nodes.first()?);
        let Op::Matmul(op) = &node.op else { return None };
        let packed = stage.nodes.iter().any(|id| step::packed(graph, held, *id));
        (packed && matches!(held[op.weight.0], Held::Packed(_) | Held::Mapped)).then_some(node.inputs[0])
    };
    (0..schedule.stages.len())
        .map(|i| {
            input(i + 1).filter(|id| schedule.stages[i].kind == Kind::Rows && schedule.stages[i].nodes.contains(id))
        })
        .collect()
}
