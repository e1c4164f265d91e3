//! The comparison itself.

use super::continuations::continuations;
use super::found::{Found, Run};
use super::kept::Kept;
use super::report::{Report, Side, Tokens, Verdict};
use super::reproducer::Chunk;
use super::{Class, Difference};
use crate::backend::{Alone, Cancel, Program, State, Want, run_alone};
use crate::graph::{Graph, NodeId, Rows};
use crate::ops::Op;
use crate::precision::{Activations, KvType};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::time::Instant;

/// What each node of the second device is fed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The first device's inputs: blames an operation and not those before it.
    #[default]
    Isolated,
    /// Its own: shows how errors grow.
    Drift,
}

/// How two devices are compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the second device is fed with.
    pub mode: Mode,
    /// Goes on after the first node that is wrong.
    pub all: bool,
    /// Tokens to continue with.
    pub tokens: usize,
    /// Runs of each node with the same inputs, 1 or more: a device that is wrong one time in four passes `n` runs with a
    /// probability of `0.75^n`.
    pub repeats: usize,
    /// Tokens compared at once; at most as many as both devices take.
    pub chunk: usize,
    /// The prompt's last tokens for which the second device's fused kernels are compared, token by token: after the
    /// plain ones and if none of those is wrong. In drift mode, whether it runs them at all: then a token at a time.
    pub fused: usize,
    /// Activations of the two.
    pub activations: (Activations, Activations),
    /// Keys and values of the two.
    pub kv: (KvType, KvType),
    /// Keeps the first wrong node with its inputs, for a replay; in isolated mode alone, where both had the same.
    pub with_inputs: bool,
    /// No node begins after this moment; the report then holds what was found.
    pub until: Option<Instant>,
}

/// Tokens that show what fused kernels are worth: they are compared one by one, which takes time.
pub const FUSED_TOKENS: usize = 4;
/// Where the first device's two best logits are no further apart than rounding may move them, another choice is none.
const NEAR: f32 = 0.02;
const NEAR_WITH_8_BITS: f32 = 0.45;
/// A node that took long is asked so many times more: a machine that does other things, too, is slow now and then.
const DOUBTS: usize = 3;

/// Runs `ids` on both devices, of the same graph, and compares them node by node; then what each continues with.
///
/// The second must run nodes alone: prepare the CPU with the plain schedule, and both so that they keep all values.
///
/// # Errors
/// What the first device cannot do. What the second cannot do is in the report.
pub fn diverge(
    graph: &Graph,
    a: &mut dyn Program,
    b: &mut dyn Program,
    ids: &[u32],
    options: &Options,
    progress: &mut dyn FnMut(usize, usize),
    cancel: &Cancel,
) -> Result<Report> {
    if ids.is_empty() {
        return Err(Error::Option { name: "prompt".into(), what: "is empty; give at least one token".into() });
    }
    let (activations, kv) = (options.activations, options.kv);
    let mut report = Report {
        verdict: Verdict::Same,
        mode: if options.mode == Mode::Isolated { "isolated" } else { "drift" },
        first_bad: None,
        nodes: Vec::new(),
        kernels: BTreeMap::new(),
        replay: None,
        tokens: Tokens::default(),
        a: Side::of(a.device(), activations.0, kv.0),
        b: Side::of(b.device(), activations.1, kv.1),
        prompt_tokens: ids.len(),
        whole: true,
        inject: None,
    };
    let context = ids.len() + options.tokens + 1;
    // A model may have nothing that any fused kernel computes.
    let fused = options.fused > 0 && (0..graph.nodes.len()).any(|i| b.fused(NodeId(i)).is_some());
    let mut walk = Walk { graph, options, fused: options.mode == Mode::Drift && fused, late: false };
    let mut found = Found::new(graph, options);
    let mut ended = walk.prompt(&mut found, a, b, context, ids, progress, cancel)?;
    found.report(b, ids.len().min(walk.chunk()), walk.fused, &mut report);
    if options.mode == Mode::Isolated && fused && report.first_bad.is_none() && !ended {
        walk.fused = true;
        let mut found = Found::new(graph, options);
        ended = walk.prompt(&mut found, a, b, context, ids, progress, cancel)?;
        found.report(b, 1, true, &mut report);
    }
    report.whole = !walk.late;
    if !ended {
        report.tokens = continuations(a, b, context, ids, options.tokens, cancel)?;
    }
    let eight = [activations.0, activations.1].contains(&Activations::Int8);
    let near = if eight { NEAR_WITH_8_BITS } else { NEAR };
    let drifted = options.mode == Mode::Drift && report.nodes.iter().any(|node| node.class == Some(Class::Drift));
    let parted = report.tokens.margin().is_some_and(|margin| margin > near);
    report.verdict = match &report.first_bad {
        Some(_) => Verdict::Broken,
        None if parted || drifted => Verdict::Drift,
        None => Verdict::Same,
    };
    Ok(report)
}

/// The way through a prompt.
struct Walk<'a> {
    graph: &'a Graph,
    options: &'a Options,
    /// The second device's fused kernels, which are for one token whose logits are wanted.
    fused: bool,
    /// Time was up.
    late: bool,
}

impl Walk<'_> {
    /// Tokens at once.
    fn chunk(&self) -> usize {
        if self.fused { 1 } else { self.options.chunk }
    }

    /// The tokens at the beginning that nothing is compared of: all but the last that fused kernels get.
    fn skipped(&self, ids: &[u32]) -> usize {
        let compared = if self.fused && self.options.mode == Mode::Isolated { self.options.fused } else { ids.len() };
        ids.len().saturating_sub(compared)
    }

    /// Whether time is up.
    fn is_late(&mut self) -> bool {
        self.late = self.options.until.is_some_and(|until| Instant::now() >= until);
        self.late
    }

    /// Chunk after chunk; returns whether it ended before the last, at a node that is wrong.
    fn prompt(
        &mut self,
        found: &mut Found<'_>,
        a: &mut dyn Program,
        b: &mut dyn Program,
        context: usize,
        ids: &[u32],
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<bool> {
        let (mut state_a, mut state_b) = (a.state(context)?, b.state(context)?);
        let mut logits = Vec::new();
        let (skipped, compared) = ids.split_at(self.skipped(ids));
        for chunk in skipped.chunks(self.options.chunk) {
            a.run(state_a.as_mut(), chunk, Want::Nothing, &mut logits, cancel)?;
            let values = self.values(a, &[])?;
            self.append(&values, b, state_b.as_mut(), chunk)?;
            found.end(&values);
        }
        for chunk in compared.chunks(self.chunk()) {
            if self.is_late() {
                return Ok(true);
            }
            let position = state_a.position();
            let wanted = usize::from(self.fused || position + chunk.len() == ids.len());
            let want = if wanted == 1 { Want::Last } else { Want::Nothing };
            a.run(state_a.as_mut(), chunk, want, &mut logits, cancel)?;
            let whole = match self.options.mode {
                Mode::Isolated => {
                    let values = self.values(a, &logits)?;
                    // Back where the chunk began; what it appended is still there.
                    let mut before = state_a.fork()?;
                    let mut alone = |alone: &Alone<'_>| {
                        before.truncate(position).ok()?;
                        a.run_node(before.as_mut(), alone).ok()?
                    };
                    let mut first = First { values: &values, alone: &mut alone };
                    let chunk = Chunk { ids: chunk, wanted, position };
                    self.isolated(found, &mut first, b, state_b.as_mut(), &chunk, progress, cancel)?
                }
                Mode::Drift => {
                    let mut logits_b = Vec::new();
                    b.run(state_b.as_mut(), chunk, want, &mut logits_b, cancel)?;
                    let (a, b) = (Kept { program: a, logits: &logits }, Kept { program: b, logits: &logits_b });
                    self.drift(found, &a, &b, wanted)?
                }
            };
            if !whole {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fills the second device's cache with what the first one appended for a chunk.
    fn append(&self, a: &[Vec<f32>], b: &mut dyn Program, state: &mut dyn State, ids: &[u32]) -> Result<()> {
        for (i, node) in self.graph.nodes.iter().enumerate().filter(|(_, node)| matches!(node.op, Op::Append(_))) {
            if !is_known(self.graph, a, NodeId(i)) {
                continue;
            }
            let inputs: Vec<&[f32]> = node.inputs.iter().map(|input| a[input.0].as_slice()).collect();
            run_alone(b, state, &Alone { ids, wanted: 0, node: NodeId(i), inputs: &inputs, fused: false })?;
        }
        state.advance(ids.len());
        Ok(())
    }

    /// All values of the first device's last chunk.
    fn values(&self, a: &dyn Program, logits: &[f32]) -> Result<Vec<Vec<f32>>> {
        let kept = Kept { program: a, logits };
        (0..self.graph.nodes.len()).map(|i| kept.value(self.graph, NodeId(i))).collect()
    }

    /// Every node of a chunk on the first device's inputs; false where it stopped at one that is wrong.
    fn isolated(
        &mut self,
        found: &mut Found<'_>,
        a: &mut First<'_>,
        b: &mut dyn Program,
        state: &mut dyn State,
        chunk: &Chunk<'_>,
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<bool> {
        for (i, node) in self.graph.nodes.iter().enumerate() {
            cancel.check()?;
            if self.is_late() {
                return Ok(false);
            }
            progress(i, self.graph.nodes.len());
            let id = NodeId(i);
            let (from, does) = match b.fused(id) {
                Some(fused) if self.fused => (fused.inputs.clone(), fused.nodes.clone()),
                None if self.fused => continue,
                _ => (node.inputs.clone(), vec![id]),
            };
            // What nobody wanted, or a dump does not have.
            let is_known = |id: &NodeId| is_known(self.graph, a.values, *id);
            // Fused attention appends, too, which the next tokens need even where nobody wants what it gives.
            let appends = self.fused && matches!(node.op, Op::Attend(_));
            let is_compared = is_known(&id) && from.iter().all(is_known);
            if !(appends || is_compared) {
                continue;
            }
            let unknown: Vec<f32> = vec![0.0; from.iter().map(|id| self.graph.node(*id).width).max().unwrap_or(0)];
            let value = |id: &NodeId| {
                if appends && !is_known(id) { &unknown[..self.graph.node(*id).width] } else { &a.values[id.0] }
            };
            let inputs: Vec<&[f32]> = from.iter().map(value).collect();
            let alone = Alone { ids: chunk.ids, wanted: chunk.wanted, node: id, inputs: &inputs, fused: self.fused };
            let mut run = Run { values: Vec::new(), error: None, ms: None };
            let repeats = self.options.repeats.max(1);
            let mut fastest = f64::INFINITY;
            for asked in 0.. {
                if asked >= repeats && (asked >= repeats + DOUBTS || !found.may_be_slow(id, fastest)) {
                    break;
                }
                let started = Instant::now();
                match run_alone(b, state, &alone) {
                    Ok(values) => {
                        fastest = fastest.min(started.elapsed().as_secs_f64() * 1e3);
                        run.values.push(values);
                    }
                    Err(wrong @ Error::Option { .. }) => return Err(wrong),
                    Err(why) => {
                        run.error = Some(why);
                        break;
                    }
                }
            }
            // What is appended shows when it is attended to.
            if (node.width == 0 || !is_compared) && run.error.is_none() {
                continue;
            }
            let limit = found.tolerance(&does);
            run.ms = (!run.values.is_empty()).then_some(fastest);
            found.isolated(chunk, id, a.values, &run, limit);
            if !self.fused && found.is_broken(id) && is_half(a.alone, &alone, &run.values, limit) {
                found.blame(id, Class::Subgroup);
            }
            if !self.options.all && found.is_broken(id) {
                return Ok(false);
            }
        }
        found.end(a.values);
        state.advance(chunk.ids.len());
        Ok(true)
    }

    /// Every node of a chunk that both have run by themselves.
    fn drift(&mut self, found: &mut Found<'_>, a: &Kept<'_>, b: &Kept<'_>, wanted: usize) -> Result<bool> {
        for (i, node) in self.graph.nodes.iter().enumerate() {
            let id = NodeId(i);
            let unwanted = node.width == 0 || node.rows == Rows::Wanted && wanted == 0;
            if unwanted || self.fused && b.program.fused(id).is_none() {
                continue;
            }
            let (x, y) = (a.value(self.graph, id)?, b.value(self.graph, id)?);
            if x.is_empty() || y.is_empty() {
                continue; // A dump does not have it.
            }
            let nodes = b.program.fused(id).filter(|_| self.fused).map_or(&node.inputs, |fused| &fused.inputs);
            found.drift(id, &x, y, nodes);
            if !self.options.all && found.is_broken(id) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The first device's part of a chunk.
struct First<'a> {
    /// By node.
    values: &'a [Vec<f32>],
    /// Runs a node again, at the chunk's beginning.
    alone: &'a mut dyn FnMut(&Alone<'_>) -> Option<Vec<f32>>,
}

/// Whether the first device has a node's value, or that of all that it appends.
fn is_known(graph: &Graph, values: &[Vec<f32>], id: NodeId) -> bool {
    let node = graph.node(id);
    if node.width > 0 { !values[id.0].is_empty() } else { node.inputs.iter().all(|id| is_known(graph, values, *id)) }
}

/// Whether the output is what the first device gives if lanes beyond the 32nd of each 64 give nothing.
fn is_half(
    a: &mut dyn FnMut(&Alone<'_>) -> Option<Vec<f32>>,
    alone: &Alone<'_>,
    runs: &[Vec<f32>],
    limit: f64,
) -> bool {
    let half = |input: &&[f32]| -> Vec<f32> {
        input.iter().enumerate().map(|(i, x)| if i % 64 < 32 { *x } else { 0.0 }).collect()
    };
    let inputs: Vec<Vec<f32>> = alone.inputs.iter().map(half).collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let Some(halves) = a(&Alone { inputs: &inputs, ..*alone }) else { return false };
    let different = !runs.is_empty() && halves.iter().any(|x| *x != 0.0);
    let same = |run: &Vec<f32>| !Difference::of(&halves, run, halves.len(), 10.0 * limit).is_broken(10.0 * limit);
    different && runs.iter().all(same)
}
