//! The comparison itself.

use super::class::classify;
use super::compare::tolerance;
use super::continuations::continuations;
use super::kept::Kept;
use super::report::{NodeReport, Report, Side, Slice, Tokens, Verdict, layer, names};
use super::reproducer::{Appended, Chunk};
use super::{Class, Difference, Reproducer};
use crate::backend::{Alone, Cancel, Program, State, Want, run_alone};
use crate::graph::{Graph, NodeId, Rows};
use crate::precision::{Activations, KvType};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    /// Activations of the two.
    pub activations: (Activations, Activations),
    /// Keys and values of the two.
    pub kv: (KvType, KvType),
    /// Keeps the first wrong node with its inputs, for a replay; in isolated mode alone, where both had the same.
    pub with_inputs: bool,
    /// No node begins after this moment; the report then holds what was found.
    pub until: Option<Instant>,
}

/// A node is slow from so many milliseconds on, and so many times what others like it take.
const SLOW_MS: f64 = 20.0;
const SLOW_TIMES: f64 = 8.0;
/// Where the first device's two best logits are no further apart than rounding may move them, another choice is none.
const NEAR: f32 = 0.02;
const NEAR_WITH_8_BITS: f32 = 0.45;

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
    let side = |program: &dyn Program, activations, kv| {
        let device = program.device();
        Side { kind: device.kind.into(), detail: device.detail, activations, kv }
    };
    let (activations, kv) = (options.activations, options.kv);
    let mut report = Report {
        verdict: Verdict::Same,
        mode: if options.mode == Mode::Isolated { "isolated" } else { "drift" },
        first_bad: None,
        nodes: Vec::new(),
        kernels: BTreeMap::new(),
        replay: None,
        tokens: Tokens::default(),
        a: side(a, activations.0, kv.0),
        b: side(b, activations.1, kv.1),
        prompt_tokens: ids.len(),
        whole: true,
        inject: None,
    };
    let mut found = Found::new(graph, options);
    let context = ids.len() + options.tokens + 1;
    let ended = found.prompt(a, b, context, ids, progress, cancel)?;
    report.whole = !found.late;
    found.slow();
    report.nodes = found.reports();
    for node in &mut report.nodes {
        let kernels = graph.find(&node.node).map_or_else(Vec::new, |id| b.kernels(id, ids.len().min(options.chunk)));
        node.kernel = names(&kernels);
        report.kernels.extend(kernels.into_iter().map(|kernel| (kernel.name, kernel.wgsl)));
    }
    report.first_bad = report.nodes.iter().find(|node| node.broken).cloned();
    if !ended {
        report.tokens = continuations(a, b, context, ids, options.tokens, cancel)?;
    }
    // Of a node that is only slow nothing was kept.
    let first = report.first_bad.as_ref().and_then(|node| graph.find(&node.node));
    report.replay = found.replay.take_if(|(id, _)| Some(*id) == first).map(|(_, reproducer)| reproducer);
    let eight = [activations.0, activations.1].contains(&Activations::Int8);
    let near = if eight { NEAR_WITH_8_BITS } else { NEAR };
    report.verdict = match &report.first_bad {
        Some(_) => Verdict::Broken,
        None if report.tokens.margin().is_some_and(|margin| margin > near) => Verdict::Drift,
        None => Verdict::Same,
    };
    if report.verdict == Verdict::Same && options.mode == Mode::Drift && found.drifted() {
        report.verdict = Verdict::Drift;
    }
    Ok(report)
}

/// What is known of each node so far: its worst chunk.
struct Found<'a> {
    graph: &'a Graph,
    options: &'a Options,
    nodes: Vec<Option<NodeReport>>,
    /// The first of them that is wrong, at its worst.
    replay: Option<(NodeId, Reproducer)>,
    /// What was appended in earlier chunks, where inputs are kept.
    appended: Appended,
    /// Time was up.
    late: bool,
}

impl<'a> Found<'a> {
    fn new(graph: &'a Graph, options: &'a Options) -> Self {
        Self {
            graph,
            options,
            nodes: vec![None; graph.nodes.len()],
            replay: None,
            appended: Appended::of(graph),
            late: false,
        }
    }

    /// Whether time is up.
    fn is_late(&mut self) -> bool {
        self.late = self.options.until.is_some_and(|until| Instant::now() >= until);
        self.late
    }

    /// Nodes that take far longer than others of the same operation and width.
    fn slow(&mut self) {
        let times: Vec<_> =
            self.nodes.iter().flatten().filter_map(|node| Some((node.op, node.width, node.ms?))).collect();
        for node in self.nodes.iter_mut().flatten().filter(|node| !node.broken) {
            let alike = times.iter().filter(|(op, width, _)| (*op, *width) == (node.op, node.width));
            let mut alike: Vec<f64> = alike.map(|(_, _, ms)| *ms).collect();
            alike.sort_unstable_by(f64::total_cmp);
            if alike.len() < 3 && matches!(node.op, "matmul" | "attend") {
                continue; // Their work differs, and there is no other like it.
            }
            if alike.len() < 3 {
                alike = times.iter().map(|(_, _, ms)| *ms).collect();
                alike.sort_unstable_by(f64::total_cmp);
            }
            let Some(median) = alike.get(alike.len() / 2) else { continue };
            if node.ms.is_some_and(|ms| ms > SLOW_MS && ms > SLOW_TIMES * median) {
                (node.broken, node.class) = (true, Some(Class::Slow));
            }
        }
    }

    fn reports(&self) -> Vec<NodeReport> {
        self.nodes.iter().flatten().cloned().collect()
    }

    fn drifted(&self) -> bool {
        self.nodes.iter().flatten().any(|node| node.class == Some(Class::Drift))
    }

    /// Chunk after chunk; returns whether it ended before the last, at a node that is wrong.
    fn prompt(
        &mut self,
        a: &mut dyn Program,
        b: &mut dyn Program,
        context: usize,
        ids: &[u32],
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<bool> {
        let (mut state_a, mut state_b) = (a.state(context)?, b.state(context)?);
        let chunks = ids.len().div_ceil(self.options.chunk);
        let mut logits = Vec::new();
        for (i, chunk) in ids.chunks(self.options.chunk).enumerate() {
            if self.is_late() {
                return Ok(true);
            }
            let wanted = usize::from(i + 1 == chunks);
            let want = if wanted == 1 { Want::Last } else { Want::Nothing };
            let position = state_a.position();
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
                    let chunk = Chunk { ids: chunk, wanted, position };
                    self.isolated(&values, &mut alone, b, state_b.as_mut(), &chunk, progress, cancel)?
                }
                Mode::Drift => {
                    let mut logits_b = Vec::new();
                    b.run(state_b.as_mut(), chunk, want, &mut logits_b, cancel)?;
                    self.drift(&Kept { program: a, logits: &logits }, &Kept { program: b, logits: &logits_b }, wanted)?
                }
            };
            if !whole {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All values of the first device's last chunk.
    fn values(&self, a: &dyn Program, logits: &[f32]) -> Result<Vec<Vec<f32>>> {
        let kept = Kept { program: a, logits };
        (0..self.graph.nodes.len()).map(|i| kept.value(self.graph, NodeId(i))).collect()
    }

    /// Every node of a chunk on the first device's inputs; false where it stopped at one that is wrong.
    fn isolated(
        &mut self,
        a: &[Vec<f32>],
        a_alone: &mut dyn FnMut(&Alone<'_>) -> Option<Vec<f32>>,
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
            // What nobody wanted, or a dump does not have.
            if !is_known(self.graph, a, id) || !node.inputs.iter().all(|input| is_known(self.graph, a, *input)) {
                continue;
            }
            let inputs: Vec<&[f32]> = node.inputs.iter().map(|input| a[input.0].as_slice()).collect();
            let alone = Alone { ids: chunk.ids, wanted: chunk.wanted, node: id, inputs: &inputs };
            let mut runs = Vec::new();
            let (mut error, mut fastest) = (None, Duration::MAX);
            for _ in 0..self.options.repeats.max(1) {
                let started = Instant::now();
                match run_alone(b, state, &alone) {
                    Ok(run) => {
                        fastest = fastest.min(started.elapsed());
                        runs.push(run);
                    }
                    Err(wrong @ Error::Option { .. }) => return Err(wrong),
                    Err(why) => {
                        error = Some(why);
                        break;
                    }
                }
            }
            // What is appended shows when it is attended to.
            if node.width == 0 && error.is_none() {
                continue;
            }
            let expected = &a[i];
            let limit = tolerance(&node.op, self.options.activations.0, self.options.activations.1);
            let ms = (!runs.is_empty()).then_some(fastest.as_secs_f64() * 1e3);
            if let Some((at, worst)) = self.note(id, expected, &runs, limit, error, ms) {
                self.keep(chunk, id, a, worst, at);
            }
            if let Some(report) = self.nodes[i].as_mut().filter(|report| report.broken && !runs.is_empty())
                && is_half(a_alone, &alone, &runs, limit)
            {
                report.class = Some(Class::Subgroup);
            }
            if !self.options.all && self.nodes[i].as_ref().is_some_and(|node| node.broken) {
                return Ok(false);
            }
        }
        if self.options.with_inputs {
            self.appended.add(self.graph, a);
        }
        state.advance(chunk.ids.len());
        Ok(true)
    }

    /// Every node of a chunk that both have run by themselves.
    fn drift(&mut self, a: &Kept<'_>, b: &Kept<'_>, wanted: usize) -> Result<bool> {
        for (i, node) in self.graph.nodes.iter().enumerate() {
            if node.width == 0 || node.rows == Rows::Wanted && wanted == 0 {
                continue;
            }
            let (x, y) = (a.value(self.graph, NodeId(i))?, b.value(self.graph, NodeId(i))?);
            if x.is_empty() || y.is_empty() {
                continue; // A dump does not have it.
            }
            let before = node.inputs.iter().filter_map(|input| self.nodes[input.0].as_ref());
            let before = before.map(|node| node.difference.rel).fold(0.0, f64::max);
            // A node is to blame where its error is large and those before it have none.
            let limit = (before * 20.0).max(0.1);
            self.note(NodeId(i), &x, &[y], limit, None, None);
            let Some(report) = &mut self.nodes[i] else { continue };
            if report.broken && report.difference.nan + report.difference.inf == 0 && report.difference.rel <= limit {
                report.broken = false;
                report.class = None;
            }
            if !report.broken && report.difference.rel > 0.05 {
                report.class = Some(Class::Drift);
            }
            if !self.options.all && report.broken {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps a wrong node with what it was given, where that is asked for and none before it is wrong.
    fn keep(&mut self, chunk: &Chunk<'_>, id: NodeId, a: &[Vec<f32>], worst: Option<&[f32]>, at: usize) {
        if self.options.with_inputs && self.replay.as_ref().is_none_or(|(kept, _)| id.0 <= kept.0) {
            let kept = Reproducer::of(self.graph, chunk, id, a, worst, at, &self.appended);
            self.replay = kept.map(|kept| (id, kept));
        }
    }

    /// Keeps the worse of what is known of a node and what was found now. Where that is now, and wrong, it returns the
    /// index of the first wrong number and the worst run, if there was one.
    fn note<'r>(
        &mut self,
        id: NodeId,
        expected: &[f32],
        runs: &'r [Vec<f32>],
        limit: f64,
        error: Option<Error>,
        ms: Option<f64>,
    ) -> Option<(usize, Option<&'r [f32]>)> {
        let node = self.graph.node(id);
        let compare = |run: &[f32]| Difference::of(expected, run, node.width, limit);
        let worst = runs.iter().max_by(|x, y| {
            compare(x).badness().partial_cmp(&compare(y).badness()).unwrap_or(std::cmp::Ordering::Equal)
        });
        let shown = worst.map(Vec::as_slice);
        let worst = shown.unwrap_or_default();
        let difference = shown.map_or_else(Difference::default, compare);
        let unsteady = runs.iter().any(|run| run.iter().zip(worst).any(|(x, y)| x.to_bits() != y.to_bits()));
        let broken = error.is_some() || unsteady || difference.is_broken(limit);
        let class = broken.then(|| {
            match &error {
                Some(Error::GpuLost(_)) => return Class::Lost,
                Some(_) => return Class::Refused,
                None => {}
            }
            let rows: Vec<f64> = expected.chunks(node.width.max(1)).map(super::compare::typical).collect();
            let wrong = |i: usize| {
                let (x, y) = (f64::from(expected[i]), f64::from(worst[i]));
                let size = x.abs() + rows[i / node.width.max(1)];
                !y.is_finite() && x.is_finite() || (x - y).abs() > limit * size
            };
            classify(expected, worst, node.width, wrong, runs)
        });
        let max_a = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let new = NodeReport {
            node: node.name.clone(),
            layer: layer(&node.name),
            op: node.op.name(),
            width: node.width,
            rows: expected.len().checked_div(node.width).unwrap_or(0),
            broken,
            class,
            difference,
            max_a: f64::from(max_a),
            slice: Slice::around(expected, worst, difference.first_index),
            kernel: None,
            ms,
            error: error.map(|error| error.to_string()),
        };
        let kept = broken.then_some((difference.first_index.unwrap_or_default(), shown));
        let key = |node: &NodeReport| (node.broken, node.difference.rel);
        match &mut self.nodes[id.0] {
            Some(old) if key(old) >= key(&new) => {
                old.max_a = old.max_a.max(new.max_a);
                return None;
            }
            // Of several chunks, what a whole one takes.
            Some(old) => *old = NodeReport { ms: old.ms.into_iter().chain(new.ms).reduce(f64::max), ..new },
            old => *old = Some(new),
        }
        kept
    }
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
    let different = halves.iter().any(|x| *x != 0.0);
    let same = |run: &Vec<f32>| !Difference::of(&halves, run, halves.len(), 10.0 * limit).is_broken(10.0 * limit);
    different && runs.iter().all(same)
}
