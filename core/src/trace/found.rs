//! What a comparison knows of each node so far: its worst chunk.

use super::class::classify;
use super::compare::{tolerance, typical};
use super::diverge::Options;
use super::report::{NodeReport, Report, Slice, layer, names};
use super::reproducer::{Appended, Chunk};
use super::{Class, Difference, Reproducer};
use crate::Error;
use crate::backend::Program;
use crate::graph::{Graph, NodeId};

/// A node is slow from so many milliseconds on, and so many times what others like it take.
const SLOW_MS: f64 = 20.0;
const SLOW_TIMES: f64 = 8.0;
/// Devices drift from this relative error on.
const DRIFTED: f64 = 0.05;

/// What the second device gave for a node of a chunk.
pub(super) struct Run {
    /// Each time that it was asked.
    pub(super) values: Vec<Vec<f32>>,
    /// What it said instead.
    pub(super) error: Option<Error>,
    /// Of the fastest.
    pub(super) ms: Option<f64>,
}

pub(super) struct Found<'a> {
    graph: &'a Graph,
    options: &'a Options,
    nodes: Vec<Option<NodeReport>>,
    /// The first of them that is wrong, at its worst.
    replay: Option<(NodeId, Reproducer)>,
    /// What was appended in earlier chunks, where inputs are kept.
    appended: Appended,
}

impl<'a> Found<'a> {
    pub(super) fn new(graph: &'a Graph, options: &'a Options) -> Self {
        Self { graph, options, nodes: vec![None; graph.nodes.len()], replay: None, appended: Appended::of(graph) }
    }

    pub(super) fn is_broken(&self, id: NodeId) -> bool {
        self.nodes[id.0].as_ref().is_some_and(|node| node.broken)
    }

    /// Whether a node that took so long may be slow, by what is known of others like it.
    pub(super) fn may_be_slow(&self, id: NodeId, ms: f64) -> bool {
        let node = self.graph.node(id);
        let alike = self.times(|other| (other.op, other.width) == (node.op.name(), node.width));
        ms > SLOW_MS && alike.first().is_none_or(|fastest| ms > SLOW_TIMES * fastest)
    }

    /// What some nodes took, in milliseconds, the fastest first.
    fn times(&self, of: impl Fn(&NodeReport) -> bool) -> Vec<f64> {
        let nodes = self.nodes.iter().flatten().filter(|node| of(node));
        let mut times: Vec<f64> = nodes.filter_map(|node| node.ms).collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    }

    /// Knows better of what kind a node's fault is.
    pub(super) fn blame(&mut self, id: NodeId, class: Class) {
        if let Some(node) = &mut self.nodes[id.0] {
            node.class = Some(class);
        }
    }

    /// How far off the work of all these nodes may be, one after the other.
    pub(super) fn tolerance(&self, nodes: &[NodeId]) -> f64 {
        let (a, b) = self.options.activations;
        nodes.iter().map(|id| tolerance(&self.graph.node(*id).op, a, b)).sum()
    }

    /// A node that both computed from the same inputs; `a` are all values of the first device.
    pub(super) fn isolated(&mut self, chunk: &Chunk<'_>, id: NodeId, a: &[Vec<f32>], run: &Run, limit: f64) {
        let Some((at, worst)) = self.note(id, &a[id.0], run, limit) else { return };
        if self.options.with_inputs && self.replay.as_ref().is_none_or(|(kept, _)| id.0 <= kept.0) {
            let kept = Reproducer::of(self.graph, chunk, id, a, worst, at, &self.appended);
            self.replay = kept.map(|kept| (id, kept));
        }
    }

    /// A chunk ends, of which `a` are all values of the first device.
    pub(super) fn end(&mut self, a: &[Vec<f32>]) {
        if self.options.with_inputs {
            self.appended.add(self.graph, a);
        }
    }

    /// A node that each computed from its own `inputs`.
    pub(super) fn drift(&mut self, id: NodeId, a: &[f32], b: Vec<f32>, inputs: &[NodeId]) {
        let before = inputs.iter().filter_map(|input| self.nodes[input.0].as_ref());
        let before = before.map(|node| node.difference.rel).fold(0.0, f64::max);
        // A node is to blame where its error is large and those before it have none.
        let limit = (before * 20.0).max(0.1);
        self.note(id, a, &Run { values: vec![b], error: None, ms: None }, limit);
        let Some(report) = &mut self.nodes[id.0] else { return };
        if report.broken && report.difference.nan + report.difference.inf == 0 && report.difference.rel <= limit {
            report.broken = false;
            report.class = None;
        }
        if !report.broken && report.difference.rel > DRIFTED {
            report.class = Some(Class::Drift);
        }
    }

    /// Keeps the worse of what is known of a node and what was found now. Where that is now, and wrong, it returns the
    /// index of the first wrong number and the worst run, if there was one.
    fn note<'r>(
        &mut self,
        id: NodeId,
        expected: &[f32],
        run: &'r Run,
        limit: f64,
    ) -> Option<(usize, Option<&'r [f32]>)> {
        let node = self.graph.node(id);
        let Run { values: runs, error, ms } = run;
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
            match error {
                Some(Error::GpuLost(_)) => return Class::Lost,
                Some(_) => return Class::Refused,
                None => {}
            }
            let rows: Vec<f64> = expected.chunks(node.width.max(1)).map(typical).collect();
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
            fused: false,
            width: node.width,
            rows: expected.len().checked_div(node.width).unwrap_or(0),
            broken,
            class,
            difference,
            max_a: f64::from(max_a),
            slice: Slice::around(expected, worst, difference.first_index),
            kernel: None,
            ms: *ms,
            error: error.as_ref().map(ToString::to_string),
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

    /// Whether a node takes far longer than others of the same operation and width.
    fn is_slow(&self, node: &NodeReport) -> bool {
        let mut alike = self.times(|other| (other.op, other.width) == (node.op, node.width));
        if alike.len() < 3 {
            if matches!(node.op, "matmul" | "attend") {
                return false; // Their work differs, and there is no other like it.
            }
            alike = self.times(|_| true);
        }
        let median = alike.get(alike.len() / 2);
        node.ms.zip(median).is_some_and(|(ms, median)| ms > SLOW_MS && ms > SLOW_TIMES * median)
    }

    /// Blames slow nodes.
    fn blame_slow(&mut self) {
        let slow: Vec<bool> = self.nodes.iter().flatten().map(|node| !node.broken && self.is_slow(node)).collect();
        for (node, _) in self.nodes.iter_mut().flatten().zip(slow).filter(|(_, slow)| *slow) {
            (node.broken, node.class) = (true, Some(Class::Slow));
        }
    }

    /// Adds all of it to a report, with the kernels by which `b` computed it, for so many tokens at once.
    pub(super) fn report(mut self, b: &dyn Program, tokens: usize, fused: bool, report: &mut Report) {
        self.blame_slow();
        let first = report.nodes.len();
        for (i, node) in self.nodes.into_iter().enumerate() {
            let Some(node) = node else { continue };
            let kernels = b.kernels(NodeId(i), tokens, fused);
            report.nodes.push(NodeReport { kernel: names(&kernels), fused, ..node });
            report.kernels.extend(kernels.into_iter().map(|kernel| (kernel.name, kernel.wgsl)));
        }
        let Some(bad) = report.nodes[first..].iter().find(|node| node.broken) else { return };
        if report.first_bad.is_none() {
            // Of a node that is only slow nothing was kept.
            let id = self.graph.find(&bad.node);
            report.replay = self.replay.take_if(|(kept, _)| Some(*kept) == id).map(|(_, reproducer)| reproducer);
            report.first_bad = Some(bad.clone());
        }
    }
}
