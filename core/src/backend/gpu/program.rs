//! A graph prepared for a GPU: its calls, buffers and kernels.

use super::best;
use super::bind::{Bind, params};
use super::deny::Denied;
use super::device::Opened;
use super::fuse::{Made, OneRow, Row, one_row};
use super::kv::{self, Cache, Heads};
use super::lists::{Chunk, List, Lists, Ready};
use super::pace::Pace;
use super::pipelines::Pipelines;
use super::plan::{Call, Choice, FEW};
use super::values::{Room, Values};
use super::weights::{self, Held, Weighted};
use super::{Options, Tier};
use crate::backend::{
    self, Alone, Best, Cancel, Device, Fused, Gate, KernelText, Memory, Profile, Program, Progress, State, Want,
};
use crate::graph::{Graph, NodeId, Rows, WeightId};
use crate::ops::{Op, Rope, angle};
use crate::quant::BLOCK;
use crate::schedule::Keep;
use crate::weights::Weights;
use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wgpu::{Buffer, BufferUsages, CommandEncoder};

/// Bytes of logits that lie on the device at a time.
const LOGITS_BYTES: usize = 8 << 20;

/// A graph prepared for a GPU.
pub struct Gpu {
    pub(super) opened: Opened,
    pub(super) gate: Gate,
    pub(super) graph: Graph,
    /// For rows of the embedding.
    weights: Weights,
    weighted: Weighted,
    options: Options,
    pub(super) values: Values,
    pub(super) room: Room,
    pub(super) lists: Arc<Lists>,
    /// What fused calls share.
    pub(super) row: Row,
    /// By slot.
    heads: Vec<Heads>,
    pipelines: Pipelines,
    pub(super) buffers: Buffers,
    turns: Vec<Turns>,
    pub(super) pace: Pace,
    /// Rows of the last chunk, for [`Program::read`].
    pub(super) last_rows: (usize, usize),
    pub(super) spent: Spent,
}

/// The calls of a program, for chunks of each size.
struct Calls {
    one: OneRow,
    few: Vec<Call>,
    many: Vec<Call>,
    best: Vec<Call>,
    denied: Denied,
}

impl Calls {
    fn of(choice: &Choice<'_>, options: &Options, tier: Tier) -> Result<Self> {
        let (few, many) = (choice.calls(true)?, choice.calls(false)?);
        let (fused, best) = (one_row(choice), best::calls(choice, &few));
        let known = fused.iter().flat_map(|fused| &fused.calls).chain(&few).chain(&many).chain(&best);
        let denied = Denied::new(&options.deny, tier, known)?;
        // Who keeps all values wants those that fused calls keep to themselves, too, and all logits.
        let all = options.keep == Keep::All;
        let fused = fused.filter(|fused| !options.plain && !all && denied.allows(&fused.calls));
        let one = fused.unwrap_or_default();
        let best = if !all && denied.allows(&best) { best } else { Vec::new() };
        Ok(Self { one, few, many, best, denied })
    }
}

/// What preparation took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) upload: Duration,
    pub(super) pipelines: Duration,
}

/// Buffers that are not a value of the graph.
pub(super) struct Buffers {
    pub(super) step: Buffer,
    pub(super) integers: Buffer,
    /// All values of one token, for fused calls.
    pub(super) row: Buffer,
    /// How many of the best logits are wanted; see `best.rs`.
    pub(super) wish: Buffer,
    pub(super) bounds: Buffer,
    pub(super) chosen: Buffer,
    pub(super) found: Buffer,
    pub(super) nothing: Buffer,
    /// Logits on their way to the host.
    pub(super) back: Buffer,
}

/// Angles of one kind of rope at the chunk's positions.
pub(super) struct Turns {
    frequencies: Vec<f32>,
    pub(super) buffer: Buffer,
}

impl Gpu {
    /// Opens the device, uploads the weights and compiles the kernels. `progress` is told how many bytes of how many
    /// are uploaded.
    pub fn prepare(graph: Graph, weights: Weights, options: Options, progress: &mut Progress<'_>) -> Result<Self> {
        options.precision.check(&graph)?;
        let opened = Opened::open(options.adapter.as_deref(), options.tier, options.lose_after)?;
        let weighted = weights::reserve(&opened, &graph, &weights)?;
        let held = &weighted.held;
        // Who keeps all values wants those of all rows.
        let bytes = if options.keep == Keep::All { opened.binding_bytes as usize } else { LOGITS_BYTES };
        let logits = (bytes / (4 * graph.vocab().max(1))).clamp(1, options.chunk);
        let room = Room { chunk: options.chunk, logits };
        let values = Values::new(&opened, &graph, options.keep, room)?;
        let ropes = ropes(&graph);
        let choice = Choice { graph: &graph, held, activations: options.activations, kv: options.kv, ropes: &ropes };
        let Calls { one: OneRow { calls: one, row }, few, many, best, denied } =
            Calls::of(&choice, &options, opened.tier)?;

        let inputs = graph.nodes.iter().filter(|n| matches!(n.op, Op::Matmul(_))).map(|n| n.inputs[0]);
        let words = inputs.map(|id| graph.node(id).width / BLOCK * choice.form(id).block_words()).max().unwrap_or(0);
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let back = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let buffers = Buffers {
            step: opened.buffer("step", 16, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?,
            integers: opened.buffer("integers", (4 * words * options.chunk) as u64, storage)?,
            row: opened.buffer("row", 4 * u64::from(row.floats), storage | BufferUsages::COPY_SRC)?,
            wish: opened.buffer("wish", 16, storage)?,
            bounds: opened.buffer("bounds", best::bounds_bytes(&graph), storage)?,
            chosen: opened.buffer("chosen", best::chosen_bytes(&graph), storage)?,
            found: best::found(&opened)?,
            nothing: opened.buffer("nothing", 16, storage)?,
            back: opened.buffer(
                "logits on their way",
                best::FOUND_BYTES.max(4 * (graph.vocab() * logits) as u64),
                back,
            )?,
        };
        let turns = turns(&opened, &weights, &ropes, options.chunk)?;
        let heads = heads(&graph)?;
        let mut pipelines = Pipelines::new(&opened, denied, options.cache.as_deref());
        let upload = std::thread::scope(|scope| {
            // The kernels are compiled while the weights stream in.
            let (mut all, pipelines) = (one.iter().chain(&few).chain(&many).chain(&best), &mut pipelines);
            let compile = move || all.try_for_each(|c| pipelines.get(c.kernel, &c.constants).map(drop));
            let compiling = std::thread::Builder::new().name("kinglet-kernels".into()).spawn_scoped(scope, compile);
            let started = Instant::now();
            weights::fill(&opened, &graph, &weights, held, options.threads, progress)?;
            let upload = started.elapsed();
            // Without a thread they are compiled below, when they are asked for.
            if let Ok(compiling) = compiling {
                let panicked = |_| Error::Gpu { what: "the kernels".into(), why: "the compiler panicked".into() };
                compiling.join().map_err(panicked)??;
            }
            Ok::<_, Error>(upload)
        })?;
        pipelines.keep();
        let mut ready = |calls: Vec<Call>| -> Result<Vec<Ready>> {
            let params = params(&opened, &calls)?;
            let (weighted, values, buffers) = (&weighted, &values, &buffers);
            let bind = Bind { opened: &opened, graph: &graph, weighted, values, buffers, turns: &turns };
            let call = |(i, call): (usize, Call)| {
                let pipeline = pipelines.get(call.kernel, &call.constants)?;
                let group = bind.group(&call, &pipeline, &params, i)?;
                let sizes = call.bindings.iter().filter_map(|bound| bind.binding(*bound)).map(|bound| bound.1);
                let largest_binding = sizes.max().unwrap_or(0);
                let storage_buffers = call.bindings.len() + if call.slot.is_some() { 2 } else { 0 };
                Ok(Ready { call, pipeline, storage_buffers, largest_binding, group })
            };
            calls.into_iter().enumerate().map(call).collect()
        };
        let head = best::head(&graph);
        let mut list = |calls: Vec<Call>| -> Result<List> {
            let mut body = ready(calls)?;
            let end = body.iter().position(|ready| Some(ready.call.node) >= head).unwrap_or(body.len());
            let head = body.split_off(end);
            Ok(List { body, head })
        };
        let (one, few, many) = (list(one)?, list(few)?, list(many)?);
        let best = ready(best)?;
        let spent = Spent { upload, pipelines: pipelines.spent };
        log::info!("gpu: uploaded in {upload:?}, {} pipelines in {:?}", pipelines.len(), spent.pipelines);
        let mut program = Self {
            opened,
            gate: Gate::default(),
            graph,
            weights,
            weighted,
            options,
            values,
            room,
            lists: Arc::new(Lists { one, few, many, best }),
            row,
            heads,
            pipelines,
            buffers,
            turns,
            pace: Pace::new(),
            last_rows: (0, 0),
            spent,
        };
        program.warm_up()?;
        Ok(program)
    }

    /// Runs a few tokens, since drivers put off work until a kernel's first start.
    fn warm_up(&mut self) -> Result<()> {
        let tokens = (FEW + 1).min(self.options.chunk);
        let mut state = self.state(tokens + 2)?;
        let ids = vec![0; tokens];
        self.run(state.as_mut(), &ids, Want::Nothing, &mut Vec::new(), &Cancel::default())?;
        for want in [Want::Last, Want::Best(Best::of(1))] {
            self.run(state.as_mut(), &[0], want, &mut Vec::new(), &Cancel::default())?;
        }
        // What it learned of the speed is of compiling.
        self.pace = Pace::new();
        Ok(())
    }

    /// The tier at work.
    pub fn tier(&self) -> Tier {
        self.opened.tier
    }

    /// Counts the submissions, also while a run goes on.
    pub fn submissions(&self) -> Arc<AtomicUsize> {
        self.opened.submissions().clone()
    }

    /// The most tokens of a chunk.
    pub(super) fn chunk_size(&self) -> usize {
        self.options.chunk
    }

    /// A program's state as its own.
    fn cache<'s>(&self, state: &'s mut dyn State) -> Result<&'s mut Cache> {
        let cache = state.as_any().downcast_mut::<Cache>().filter(|cache| cache.is_of(&self.opened, &self.heads));
        cache.ok_or_else(|| Error::Option {
            name: "state".into(),
            what: "belongs to another device; make it with the program that runs it".into(),
        })
    }

    /// What the CPU gives to a chunk: its step, embedding rows and angles.
    pub(super) fn write(&self, chunk: &Chunk) -> Result<()> {
        let queue = &self.opened.queue;
        let step = [chunk.ids.len(), chunk.position, chunk.wanted.start, chunk.wanted.len()].map(|x| x as u32);
        queue.write_buffer(&self.buffers.step, 0, bytemuck::cast_slice(&step));
        if let Some(best) = chunk.best {
            queue.write_buffer(&self.buffers.wish, 0, bytemuck::cast_slice(&best::wish(best)));
        }
        for (i, node) in self.graph.nodes.iter().enumerate() {
            let Op::Embed(op) = &node.op else { continue };
            let (format, bytes) = (self.weights.format(op.table), self.weights.bytes(op.table));
            let row_bytes = node.width / format.weights * format.bytes;
            let mut rows = vec![0.0; node.width * chunk.ids.len()];
            for (row, id) in rows.chunks_exact_mut(node.width).zip(chunk.ids) {
                (format.dequantise)(&bytes[*id as usize * row_bytes..][..row_bytes], row);
                op.reference(row);
            }
            let (to, offset) = match self.row.places.get(i) {
                Some(Some(place)) if chunk.is_one() => (&self.buffers.row, 4 * u64::from(*place)),
                _ => (self.value(NodeId(i))?, 0),
            };
            queue.write_buffer(to, offset, bytemuck::cast_slice(&rows));
        }
        for turns in &self.turns {
            let positions = chunk.position..chunk.position + chunk.ids.len();
            let table: Vec<[f32; 2]> = positions
                .flat_map(|position| turns.frequencies.iter().map(move |f| angle(*f, position).into()))
                .collect();
            queue.write_buffer(&turns.buffer, 0, bytemuck::cast_slice(&table));
        }
        Ok(())
    }

    /// How fused calls come to a value.
    pub(super) fn made(&self, node: NodeId) -> Option<&Made> {
        self.row.made.get(node.0)?.as_ref()
    }

    /// Where a value lies after fused calls, and from which byte on.
    pub(super) fn in_row(&self, node: NodeId) -> Option<(&Buffer, u64)> {
        match self.row.places.get(node.0)? {
            Some(place) => Some((&self.buffers.row, 4 * u64::from(*place))),
            None => self.made(node).and(Some((self.values.get(node)?, 0))),
        }
    }

    pub(super) fn value(&self, id: NodeId) -> Result<&Buffer> {
        let missing = || Error::Gpu { what: self.graph.node(id).name.clone(), why: "it has no buffer".into() };
        self.values.get(id).ok_or_else(missing)
    }
}

impl Program for Gpu {
    fn device(&self) -> Device {
        let bits = self.options.activations.describe();
        let facts = &self.opened.facts;
        let detail = format!("{} ({}), {}, {bits}", facts.name, facts.driver, self.opened.tier);
        Device { tier: Some(self.opened.tier), ..Device::new("gpu", detail) }
    }

    fn share(&mut self, divisor: usize) {
        self.pace.share(divisor);
    }

    fn memory(&self, context: usize) -> Memory {
        let weights = self.weighted.held.iter().enumerate().map(|(i, held)| match held {
            Held::Vector(slice) => slice.bytes as usize,
            Held::Packed { parts, .. } => parts.iter().map(|part| part.bytes() as usize).sum(),
            Held::Plain { parts, .. } => parts.iter().map(|part| part.floats.bytes as usize).sum(),
            Held::Table => self.weights.bytes(WeightId(i)).len(),
        });
        let own =
            [&self.buffers.integers, &self.buffers.back, &self.buffers.row, &self.buffers.bounds, &self.buffers.found];
        let own = own.map(|buffer| buffer.size() as usize).into_iter().sum::<usize>();
        Memory {
            weights: weights.sum(),
            kv: kv::bytes(&self.graph.slots, context, self.options.chunk, self.options.kv),
            scratch: self.values.bytes as usize + own,
        }
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        let (chunk, kv) = (self.options.chunk, self.options.kv);
        let layout = &self.pipelines.cache_layout;
        Ok(Box::new(Cache::new(&self.opened, layout, &self.heads, context, chunk, kv)?))
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        self.opened.check()?;
        let vocab = self.graph.vocab();
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocab) {
            return Err(Error::TokenId { id: *id, vocab });
        }
        let (position, context) = (state.position(), state.context());
        if position + ids.len() > context {
            return Err(Error::ContextFull { needed: position + ids.len(), context });
        }
        let cache = self.cache(state)?;
        logits.clear();
        logits.resize(want.rows(ids.len()) * vocab, 0.0);
        let most = if want == Want::All { self.room.logits } else { self.room.chunk };
        let chunks = ids.len().div_ceil(most);
        let mut filled = 0;
        for (i, ids) in ids.chunks(most).enumerate() {
            cancel.check()?;
            let wanted = match want {
                Want::All => 0..ids.len(),
                Want::Last | Want::Best(_) if i + 1 == chunks => ids.len() - 1..ids.len(),
                _ => 0..0,
            };
            let rows = filled..filled + wanted.len() * vocab;
            filled = rows.end;
            let best = match want {
                Want::Best(best) if wanted.len() == 1 && best.count <= backend::FEW => Some(best),
                _ => None,
            };
            let best = best.filter(|_| !self.lists.best.is_empty());
            let chunk = Chunk { ids, position: cache.position, wanted, best, alone: false };
            self.chunk(cache, &chunk, &mut logits[rows], cancel)?;
        }
        Ok(())
    }

    fn run_node(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        self.opened.check()?;
        let cache = self.cache(state)?;
        if alone.fused { self.fused_alone(cache, alone) } else { self.alone(cache, alone) }
    }

    fn fused(&self, node: NodeId) -> Option<&Fused> {
        self.made(node).map(|made| &made.fused)
    }

    fn kernels(&self, node: NodeId, tokens: usize, fused: bool) -> Vec<KernelText> {
        let text = |ready: &Ready| KernelText {
            kernel: ready.call.kernel.name(),
            name: ready.pipeline.name.clone(),
            denied: self.pipelines.denies(ready.call.kernel),
            wgsl: self.pipelines.source(ready.call.kernel).link().text,
        };
        if fused {
            let made = self.made(node);
            return made.into_iter().flat_map(|made| self.lists.fused(&made.calls)).map(text).collect();
        }
        let input = self.graph.node(node).inputs.first().copied();
        self.lists.alone(tokens, node, input).into_iter().map(text).collect()
    }

    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        let (rows, wanted) = self.last_rows;
        let fused = (rows, wanted) == (1, 1) && !self.lists.one.body.is_empty();
        let (buffer, offset) = if fused { self.in_row(node)? } else { (self.values.get(node)?, 0) };
        let node = self.graph.node(node);
        let rows = if node.rows == Rows::All { rows } else { wanted };
        let mut out = vec![0.0; rows * node.width];
        let bytes = size_of_val(out.as_slice()) as u64;
        let back = self.opened.buffer("a value", bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST).ok()?;
        let mut encoder = encoder(&self.opened);
        encoder.copy_buffer_to_buffer(buffer, offset, &back, 0, bytes);
        let submission = self.opened.submit([encoder.finish()]);
        self.opened.read(&back, submission, &mut out).ok()?;
        Some(out)
    }

    fn gate(&self) -> Option<Gate> {
        Some(self.gate.clone())
    }

    fn profile(&mut self, state: &mut dyn State, ids: &[u32], cancel: &Cancel) -> Result<Option<Profile>> {
        let before = self.opened.submissions().load(Ordering::Relaxed);
        self.run(state, ids, Want::Best(Best::of(1)), &mut Vec::new(), cancel)?;
        let submissions = self.opened.submissions().load(Ordering::Relaxed) - before;
        let cache = self.cache(state)?;
        cache.truncate(cache.position - ids.len())?;
        self.timed(cache, ids, submissions).map(Some)
    }
}

pub(super) fn encoder(opened: &Opened) -> CommandEncoder {
    opened.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

/// The kinds of rope in a graph.
fn ropes(graph: &Graph) -> Vec<Rope> {
    let mut ropes = Vec::new();
    for node in &graph.nodes {
        if let Op::Rope(rope) = &node.op
            && !ropes.contains(rope)
        {
            ropes.push(rope.clone());
        }
    }
    ropes
}

fn turns(opened: &Opened, weights: &Weights, ropes: &[Rope], chunk: usize) -> Result<Vec<Turns>> {
    let one = |rope: &Rope| {
        let factors = rope.factors.map(|id| weights.dequantise(id));
        let frequencies = rope.frequencies(factors.as_deref());
        let bytes = (chunk * frequencies.len() * size_of::<[f32; 2]>()) as u64;
        let buffer = opened.buffer("turns", bytes, BufferUsages::STORAGE | BufferUsages::COPY_DST)?;
        Ok(Turns { frequencies, buffer })
    };
    ropes.iter().map(one).collect()
}

/// The attention over each slot.
fn heads(graph: &Graph) -> Result<Vec<Heads>> {
    let of = |(i, slot): (usize, &_)| {
        let attend = graph.nodes.iter().find_map(|node| match &node.op {
            Op::Attend(op) if op.slot.0 == i => Some(op),
            _ => None,
        });
        let missing = || Error::Gpu { what: format!("slot {i}"), why: "nothing attends to it".into() };
        Ok(Heads::new(*slot, attend.ok_or_else(missing)?))
    };
    graph.slots.iter().enumerate().map(of).collect()
}
