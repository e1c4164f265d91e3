//! What a node is run with again: whole chunks of rows, from a report or made here.

use super::kept::Kept;
use super::reported::wrong;
use super::reproducer::{Attended, MOST_TOKENS, skipped, valued};
use super::{Floats, Reproducer};
use crate::backend::{Alone, Cancel, Program, Want, run_alone};
use crate::graph::{Graph, Node, NodeId, Rows};
use crate::ops::Op;
use crate::precision::{Activations, KvType};
use crate::quant::BLOCK;
use crate::weights::Weights;
use crate::{Error, Result};
use half::f16;
use std::ops::Range;
use std::time::Instant;

/// The most positions that a cache is filled with, whatever the model takes.
const MOST_POSITIONS: usize = 1 << 15;
/// What is run where a report has no inputs: ids from all over the vocabulary.
const MADE_TOKENS: usize = 32;
const MADE_STEP: usize = 7919;

/// A node and all that it reads.
pub(super) struct Given {
    pub(super) node: NodeId,
    position: usize,
    ids: Vec<u32>,
    wanted: usize,
    /// One for each input of the node, `[rows, width]`; empty for the cache.
    inputs: Vec<Vec<f32>>,
    /// Keys and values up to the chunk's end, `[positions, kv_heads * head_dim]`, of a node that looks at them.
    cache: Option<(Attended, Vec<f32>, Vec<f32>)>,
}

impl Given {
    /// Checks a reproducer against the graph. What it leaves out is zeros: rows do not depend on each other, and with all
    /// of them a device takes the kernel that it took.
    ///
    /// # Errors
    /// [`Error::Report`] where anything has another size than the model's, of `context` positions, demands.
    pub(super) fn reported(graph: &Graph, id: NodeId, from: &Reproducer, context: usize) -> Result<Self> {
        let node = graph.node(id);
        let Reproducer { position, tokens, wanted, .. } = *from;
        check("tokens", tokens, 1..MOST_TOKENS + 1)?;
        check("wanted", wanted, usize::from(node.rows == Rows::Wanted)..tokens + 1)?;
        check("position", position, 0..(context.min(MOST_POSITIONS) + 1).saturating_sub(tokens))?;
        let all = if node.rows == Rows::All { tokens } else { wanted };
        inside("rows", &from.rows, all)?;
        inside("columns", &from.columns, node.width)?;
        let count = from.rows.len() * from.columns.len();
        length("a", &from.a, count)?;
        from.b.as_ref().map_or(Ok(()), |b| length("b", b, count))?;

        let ids = match (&node.op, &from.ids) {
            (Op::Embed(_), Some(ids)) => {
                check("ids: their number", ids.len(), tokens..tokens + 1)?;
                let vocab = graph.vocab();
                let outside = ids.iter().find(|id| **id as usize >= vocab);
                outside.map_or(Ok(()), |id| Err(Error::TokenId { id: *id, vocab }))?;
                ids.clone()
            }
            (Op::Embed(_), None) => return Err(wrong("replay.ids", "missing, and an embedding is made of them")),
            _ => vec![0; tokens],
        };
        let expected: Vec<&Node> = valued(graph, node).map(|id| graph.node(id)).collect();
        check("inputs: their number", from.inputs.len(), expected.len()..expected.len() + 1)?;
        for (input, expected) in from.inputs.iter().zip(expected) {
            if (input.name.as_str(), input.width) != (expected.name.as_str(), expected.width) {
                let what = format!(
                    "{} of {} floats, where the node reads {} of {}",
                    crate::error::shown(&input.name),
                    input.width,
                    expected.name,
                    expected.width
                );
                return Err(wrong("replay.inputs", what));
            }
            length(&format!("inputs: {}", input.name), &input.values, from.rows.len() * input.width)?;
        }
        let mut held = from.inputs.iter();
        let input = |id: &NodeId| {
            let input = graph.node(*id);
            let values = (input.width > 0).then(|| held.next()).flatten();
            let start = from.rows.start + skipped(node, input.rows, tokens, wanted);
            let rows = if input.rows == Rows::All { tokens } else { wanted };
            padded(values.map_or(&[][..], |input| &input.values.0), start * input.width, rows * input.width)
        };
        let inputs = node.inputs.iter().map(input).collect();

        let cache = match Attended::by(graph, node) {
            Some(attended) => {
                let cached =
                    from.cache.as_ref().ok_or_else(|| wrong("replay.cache", "missing, and the node reads it"))?;
                let first = position + from.rows.start + skipped(node, Rows::All, tokens, wanted);
                let seen = attended.seen(graph, first, from.rows.len());
                check("cache.first", cached.first, seen.start..seen.start + 1)?;
                let width = graph.slots[attended.slot.0].width();
                let all = |name, floats| {
                    length(name, floats, seen.len() * width)?;
                    Ok(padded(&floats.0, seen.start * width, (position + tokens) * width))
                };
                Some((attended, all("cache.keys", &cached.keys)?, all("cache.values", &cached.values)?))
            }
            None => None,
        };
        Ok(Self { node: id, position, ids, wanted, inputs, cache })
    }

    /// Runs a row of ids on a device that keeps all values, for as many tokens as that takes at once.
    pub(super) fn made(
        graph: &Graph,
        id: NodeId,
        program: &mut dyn Program,
        tokens: usize,
        cancel: &Cancel,
    ) -> Result<Self> {
        let node = graph.node(id);
        let vocab = graph.vocab().max(1);
        let ids: Vec<u32> = (1..=tokens).map(|i| (i * MADE_STEP % vocab) as u32).collect();
        let mut logits = Vec::new();
        program.run(program.state(tokens)?.as_mut(), &ids, Want::Last, &mut logits, cancel)?;
        let kept = Kept { program, logits: &logits };
        let inputs = node.inputs.iter().map(|id| kept.value(graph, *id)).collect::<Result<_>>()?;
        let cache = match Attended::by(graph, node) {
            Some(attended) => Some((attended, kept.value(graph, attended.keys)?, kept.value(graph, attended.values)?)),
            None => None,
        };
        Ok(Self { node: id, position: 0, ids, wanted: 1, inputs, cache })
    }

    /// What a node is asked at a position, with the keys and values that it sees there.
    pub(super) fn asked(alone: &Alone<'_>, position: usize, cache: Option<(Attended, Vec<f32>, Vec<f32>)>) -> Self {
        let inputs = alone.inputs.iter().map(|input| input.to_vec()).collect();
        Self { node: alone.node, position, ids: alone.ids.to_vec(), wanted: alone.wanted, inputs, cache }
    }

    /// How many tokens [`made`](Self::made) takes for a report of so many.
    pub(super) fn made_tokens(prompt: usize) -> usize {
        prompt.clamp(1, MADE_TOKENS)
    }

    /// The same as a device rounds it that takes activations and stores keys and values so: inputs of products, except
    /// of plain floats, which take floats; and the cache.
    pub(super) fn rounded(&self, graph: &Graph, weights: &Weights, activations: Activations, kv: KvType) -> Self {
        let node = graph.node(self.node);
        let mut inputs = self.inputs.clone();
        if matches!(&node.op, Op::Matmul(op) if weights.format(op.weight).packed.is_some()) {
            for (values, id) in inputs.iter_mut().zip(&node.inputs) {
                round(values, graph.entering(*id, activations));
            }
        }
        let mut cache = self.cache.clone();
        if let Some((_, keys, values)) = &mut cache {
            store(keys, kv);
            store(values, kv);
        }
        Self { ids: self.ids.clone(), inputs, cache, ..*self }
    }

    /// Tokens of the chunk.
    pub(super) fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Runs the node so often on a device; its outputs, and the milliseconds of the fastest run.
    pub(super) fn run(
        &self,
        graph: &Graph,
        program: &mut dyn Program,
        repeats: usize,
        cancel: &Cancel,
    ) -> Result<(Vec<Vec<f32>>, f64)> {
        let mut state = program.state(self.position + self.tokens())?;
        if let Some((attended, keys, values)) = &self.cache {
            let width = graph.slots[attended.slot.0].width();
            let end = self.position + self.tokens();
            let mut start = 0;
            while start < end {
                cancel.check()?;
                // A chunk of its own before the position, so that the node's begins there.
                let before = if start < self.position { self.position } else { end };
                let next = before.min(start + self.tokens());
                let part = start * width..next * width;
                let inputs = [&keys[part.clone()], &values[part]];
                let ids = &self.ids[..next - start];
                run_alone(
                    program,
                    state.as_mut(),
                    &Alone { ids, wanted: 0, node: attended.append, inputs: &inputs, fused: false },
                )?;
                if next <= self.position {
                    state.advance(next - start);
                }
                start = next;
            }
        } else {
            state.advance(self.position);
        }
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let asked = Alone { ids: &self.ids, wanted: self.wanted, node: self.node, inputs: &inputs, fused: false };
        let (mut runs, mut fastest) = (Vec::new(), f64::INFINITY);
        for _ in 0..repeats.max(1) {
            cancel.check()?;
            let started = Instant::now();
            runs.push(run_alone(program, state.as_mut(), &asked)?);
            fastest = fastest.min(started.elapsed().as_secs_f64() * 1e3);
        }
        Ok((runs, fastest))
    }
}

/// Rounds to integers of a scale for each block of columns, as inputs of products are.
fn round(values: &mut [f32], activations: Activations) {
    let most = match activations {
        Activations::Int16 => 127.0 * 256.0,
        Activations::Int8 => 127.0,
        Activations::F32 => return,
    };
    for block in values.chunks_mut(BLOCK) {
        let peak = block.iter().fold(0.0, |peak: f32, x| if x.is_nan() { f32::NAN } else { peak.max(x.abs()) });
        let inverse = if peak > 0.0 { most / peak } else { 0.0 };
        let scale = if inverse.is_finite() { peak * (1.0 / most) } else { 0.0 };
        let to = |x: f32| if peak.is_finite() { (x * inverse).round_ties_even() * scale } else { f32::NAN };
        block.iter_mut().for_each(|x| *x = to(*x));
    }
}

/// Rounds as a cache stores.
fn store(values: &mut [f32], kv: KvType) {
    if kv == KvType::F16 {
        values.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32());
    }
}

/// `values` with zeros before and after.
fn padded(values: &[f32], start: usize, len: usize) -> Vec<f32> {
    let mut all = vec![0.0; len];
    if let Some(place) = all.get_mut(start..start + values.len()) {
        place.copy_from_slice(values);
    }
    all
}

fn check(field: &str, value: usize, allowed: Range<usize>) -> Result<()> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let what = match allowed.len() {
        0 => format!("{value}, where nothing fits the model"),
        1 => format!("{value}, where {} fits the model", allowed.start),
        _ => format!("{value}, where {} to {} fit the model", allowed.start, allowed.end - 1),
    };
    Err(wrong(&format!("replay.{field}"), what))
}

fn inside(field: &str, range: &Range<usize>, all: usize) -> Result<()> {
    if range.start < range.end && range.end <= all {
        return Ok(());
    }
    Err(wrong(&format!("replay.{field}"), format!("{range:?}, which is no part of 0..{all}")))
}

fn length(field: &str, floats: &Floats, len: usize) -> Result<()> {
    check(&format!("{field}: numbers"), floats.0.len(), len..len + 1)
}
