//! A driver that is wrong on purpose: around any device, one node's output is spoilt in a way that drivers are known to
//! spoil it. To prove that what looks for errors finds them, and to show what it says then; not part of a release.

use super::{Alone, Cancel, Device, Fused, KernelText, Memory, Program, State, Want};
use crate::graph::{Graph, NodeId, Rows};
use crate::{Error, Result};
use half::f16;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How an output is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Stored in f16: what exceeds 65,504 is infinite.
    F16Residual,
    /// Added up in f16: the last bits are lost.
    F16Accumulate,
    /// Nothing is written.
    Zeros,
    /// One rectangle is wrong.
    Tile,
    /// Wrong now and then.
    Flaky,
    /// What the last run left in the buffer.
    Stale,
    /// Wrong from an index on.
    FromIndex,
    /// Lanes beyond the 32nd of each 64 add nothing.
    Subgroup32,
    /// The device is gone.
    Lost,
    /// It takes its time.
    Slow,
    /// The kernel is not made.
    Refused,
}

impl Kind {
    /// All of them, by the name on the command line.
    pub const ALL: [(&'static str, Self); 11] = [
        ("f16-residual", Self::F16Residual),
        ("f16-accumulate", Self::F16Accumulate),
        ("zeros", Self::Zeros),
        ("tile", Self::Tile),
        ("flaky", Self::Flaky),
        ("stale", Self::Stale),
        ("from-index", Self::FromIndex),
        ("subgroup32", Self::Subgroup32),
        ("lost", Self::Lost),
        ("slow", Self::Slow),
        ("refused", Self::Refused),
    ];
}

/// What is spoilt, where, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Inject {
    /// How.
    pub kind: Kind,
    /// Which node's output, by its name.
    pub node: String,
    /// Of how many runs.
    pub probability: f64,
    /// Whether only the fused kernel is bad that computes it.
    pub fused: bool,
}

/// Ends the name of a node whose fused kernel is meant.
const FUSED: &str = "/fused";

impl FromStr for Inject {
    type Err = Error;

    /// `KIND@NODE` or `KIND@NODE:PROBABILITY`, and `/fused` after the node where its fused kernel is meant.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |what: String| Error::Option { name: "inject".into(), what };
        let (kind, node) = text.split_once('@').ok_or_else(|| wrong("has no @; give KIND@NODE".into()))?;
        let known = || Kind::ALL.map(|(name, _)| name).join(", ");
        let kind = Kind::ALL.iter().find(|(name, _)| *name == kind).map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| wrong(format!("is of no known kind; there are {}", known())))?;
        let (node, probability) = match node.split_once(':') {
            Some((node, p)) => {
                let p = p.parse().ok().filter(|p: &f64| (0.0..=1.0).contains(p));
                (node, p.ok_or_else(|| wrong("has a probability that is not from 0 to 1".into()))?)
            }
            None => (node, if kind == Kind::Flaky { 0.25 } else { 1.0 }),
        };
        let (node, fused) = node.strip_suffix(FUSED).map_or((node, false), |node| (node, true));
        Ok(Self { kind, node: node.into(), probability, fused })
    }
}

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Kind::ALL.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        let fused = if self.fused { FUSED } else { "" };
        write!(f, "{name}@{}{fused}:{}", self.node, self.probability)
    }
}

/// A device with a bad driver. It runs node by node, so it is slow.
pub struct Bad {
    inner: Box<dyn Program>,
    graph: Graph,
    inject: Inject,
    node: NodeId,
    chunk: usize,
    /// Outputs of the last chunk.
    values: Vec<Vec<f32>>,
    /// The spoilt node's last right output.
    last: Vec<f32>,
    random: u64,
}

impl Bad {
    /// Around `inner`, which must run nodes alone and take `chunk` tokens at once.
    ///
    /// # Errors
    /// [`Error::Option`] where the graph has no such node.
    pub fn new(inner: Box<dyn Program>, graph: Graph, inject: Inject, chunk: usize) -> Result<Self> {
        let node = graph.find(&inject.node).filter(|id| graph.node(*id).width > 0).ok_or_else(|| Error::Option {
            name: "inject".into(),
            what: format!("names {}, which is no node of the model that has a value", inject.node),
        })?;
        let values = vec![Vec::new(); graph.nodes.len()];
        Ok(Self { inner, graph, inject, node, chunk, values, last: Vec::new(), random: 0x9e37_79b9 })
    }

    fn happens(&mut self) -> bool {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.random >> 33) as f64) < self.inject.probability * f64::from(1u32 << 31)
    }

    /// The bad node, as the driver has it.
    fn spoilt(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        match self.inject.kind {
            Kind::Lost => return Err(Error::GpuLost("so it was asked for".into())),
            Kind::Refused => {
                return Err(Error::Gpu { what: self.inject.node.clone(), why: "so it was asked for".into() });
            }
            Kind::Slow => std::thread::sleep(Duration::from_millis(50)),
            _ => {}
        }
        if self.inject.kind == Kind::Subgroup32 {
            let half = |input: &&[f32]| -> Vec<f32> {
                input.iter().enumerate().map(|(i, x)| if i % 64 < 32 { *x } else { 0.0 }).collect()
            };
            let inputs: Vec<Vec<f32>> = alone.inputs.iter().map(half).collect();
            let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            return self.inner.run_node(state, &Alone { inputs: &inputs, ..*alone });
        }
        let Some(mut out) = self.inner.run_node(state, alone)? else { return Ok(None) };
        let width = self.graph.node(self.node).width;
        let len = out.len();
        match self.inject.kind {
            Kind::F16Residual => out.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32()),
            Kind::F16Accumulate => out.iter_mut().for_each(|x| {
                let bits = f16::from_f32(*x).to_bits();
                *x = f16::from_bits(bits & !3).to_f32();
            }),
            Kind::Zeros => out.fill(0.0),
            Kind::Tile => {
                let start = width / 2 / 16 * 16;
                for row in out.chunks_mut(width).take(16) {
                    row[start..width.min(start + 16)].iter_mut().for_each(|x| *x = 1.0 - 2.0 * *x);
                }
            }
            Kind::Flaky => out.iter_mut().for_each(|x| *x = 0.5 - *x),
            Kind::Stale => {
                std::mem::swap(&mut out, &mut self.last);
                out.resize(len, 0.0);
            }
            Kind::FromIndex => out[len / 2..].iter_mut().for_each(|x| *x = 1.0 - 2.0 * *x),
            Kind::Subgroup32 | Kind::Lost | Kind::Slow | Kind::Refused => {}
        }
        Ok(Some(out))
    }

    /// All nodes of a chunk in turn.
    fn chunk(&mut self, state: &mut dyn State, ids: &[u32], wanted: usize) -> Result<()> {
        for i in 0..self.graph.nodes.len() {
            let node = self.graph.node(NodeId(i)).clone();
            if node.rows == Rows::Wanted && wanted == 0 {
                continue;
            }
            let inputs: Vec<Vec<f32>> = node.inputs.iter().map(|id| self.values[id.0].clone()).collect();
            let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            let alone = Alone { ids, wanted, node: NodeId(i), inputs: &inputs, fused: false };
            self.values[i] = self.run_node(state, &alone)?.ok_or_else(|| Error::Option {
                name: "inject".into(),
                what: format!("needs a device that runs nodes alone, which {} is not", self.inner.device().kind),
            })?;
        }
        state.advance(ids.len());
        Ok(())
    }
}

impl Program for Bad {
    fn device(&self) -> Device {
        self.inner.device()
    }

    fn memory(&self, context: usize) -> Memory {
        self.inner.memory(context)
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        self.inner.state(context)
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        logits.clear();
        let chunks = ids.len().div_ceil(self.chunk);
        for (i, ids) in ids.chunks(self.chunk).enumerate() {
            cancel.check()?;
            let wanted = match want {
                Want::Nothing => 0,
                Want::All => ids.len(),
                Want::Last | Want::Best(_) => usize::from(i + 1 == chunks),
            };
            self.chunk(state, ids, wanted)?;
            if wanted > 0 {
                logits.extend_from_slice(&self.values[self.graph.logits().0]);
            }
        }
        Ok(())
    }

    fn share(&mut self, divisor: usize) {
        self.inner.share(divisor);
    }

    fn fused(&self, node: NodeId) -> Option<&Fused> {
        self.inner.fused(node)
    }

    fn kernels(&self, node: NodeId, tokens: usize, fused: bool) -> Vec<KernelText> {
        self.inner.kernels(node, tokens, fused)
    }

    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        self.values.get(node.0).filter(|value| !value.is_empty()).cloned()
    }

    fn run_node(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        // What is wrong is how the driver compiles the kernel; its plainest variant is another one.
        let kernels = || self.inner.kernels(alone.node, alone.ids.len(), alone.fused);
        let is_plain = || kernels().last().is_some_and(|kernel| kernel.denied);
        let is_meant = alone.node == self.node && (alone.fused || !self.inject.fused);
        if !is_meant || is_plain() {
            return self.inner.run_node(state, alone);
        }
        if self.happens() { self.spoilt(state, alone) } else { self.inner.run_node(state, alone) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_injected_is_named() {
        let inject: Inject = "flaky@blk.3.ffn_down:0.01".parse().unwrap();
        let node = "blk.3.ffn_down".into();
        assert_eq!(inject, Inject { kind: Kind::Flaky, node, probability: 0.01, fused: false });
        let fused: Inject = "zeros@blk.3.ffn_down/fused".parse().unwrap();
        assert_eq!((fused.node.as_str(), fused.fused), ("blk.3.ffn_down", true));
        assert_eq!(fused.to_string().parse::<Inject>().unwrap(), fused);
        assert_eq!("zeros@output".parse::<Inject>().unwrap().probability, 1.0);
        for wrong in ["zeros", "nothing@output", "flaky@output:2"] {
            assert!(wrong.parse::<Inject>().is_err(), "{wrong}");
        }
    }
}
