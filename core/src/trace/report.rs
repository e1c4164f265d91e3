//! What a comparison found, for people and machines.

use super::{Class, Difference, Reproducer};
use crate::backend::gpu::Tier;
use crate::backend::{Device, KernelText};
use crate::precision::{Activations, KvType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing but rounding.
    Same,
    /// No node is wrong, but the devices part.
    Drift,
    /// A node is wrong.
    Broken,
}

/// One of the devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// `reference`, `cpu` or `gpu`.
    pub kind: String,
    /// Instruction set or adapter, threads, precision.
    pub detail: String,
    /// A GPU's tier: 0, 1 or 2.
    pub tier: Option<u8>,
    /// What its products are fed with.
    pub activations: Activations,
    /// How it stores keys and values.
    pub kv: KvType,
}

impl Side {
    /// A device with what the comparison knows of it.
    pub fn of(device: Device, activations: Activations, kv: KvType) -> Self {
        let Device { kind, detail, tier } = device;
        Self { kind: kind.into(), detail, tier: tier.map(Tier::number), activations, kv }
    }
}

/// A node on both devices.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Name, as GGUF names tensors.
    pub node: String,
    /// Its layer; `None` before the first and after the last.
    pub layer: Option<usize>,
    /// What it computes.
    pub op: &'static str,
    /// Whether the second device computed it by a kernel that is fused with nodes before it.
    pub fused: bool,
    /// Floats of a row.
    pub width: usize,
    /// Rows compared.
    pub rows: usize,
    /// Whether it is wrong.
    pub broken: bool,
    /// What kind of wrong it is.
    pub class: Option<Class>,
    /// How far the two are apart.
    #[serde(flatten)]
    pub difference: Difference,
    /// The largest magnitude on the first device.
    pub max_a: f64,
    /// Some numbers of both, around the first that is not finite, or is wrong, or around the one that is furthest off.
    pub slice: Option<Slice>,
    /// The kernels that compute it on the second device, if that is a GPU.
    pub kernel: Option<String>,
    /// Milliseconds of the fastest run on the second device, its way there and back among them; isolated mode alone.
    pub ms: Option<f64>,
    /// What the second device said instead of a value.
    pub error: Option<String>,
}

/// The same few numbers of a value on both devices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// Index of the first.
    pub from: usize,
    /// The first device's.
    pub a: Vec<f32>,
    /// The second device's.
    pub b: Vec<f32>,
}

impl Slice {
    /// Numbers before the one that it is about, and in all.
    const BEFORE: usize = 4;
    const MOST: usize = 12;

    /// Around the first number that is not finite on the second device alone; or that at `wrong`; or the one that is
    /// furthest off. `None` where there are none on both.
    pub(super) fn around(a: &[f32], b: &[f32], wrong: Option<usize>) -> Option<Self> {
        let lost = a.iter().zip(b).position(|(a, b)| a.is_finite() && !b.is_finite());
        let furthest = || {
            let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).enumerate();
            off.max_by(|x, y| x.1.total_cmp(&y.1)).map(|(at, _)| at)
        };
        let from = lost.or(wrong).or_else(furthest)?.saturating_sub(Self::BEFORE);
        let part = |all: &[f32]| all.get(from..all.len().min(from + Self::MOST)).map(<[f32]>::to_vec);
        Some(Self { from, a: part(a)?, b: part(b)? })
    }
}

/// A token and its logit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Its logit.
    pub logit: f32,
}

/// What each device continues the prompt with, greedily.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tokens {
    /// The first device's ids.
    pub a: Vec<u32>,
    /// The second device's.
    pub b: Vec<u32>,
    /// The first token that is not the same.
    pub part_at: Option<usize>,
    /// The first device's best five there, or after the last.
    pub top_a: Vec<Token>,
    /// The second device's.
    pub top_b: Vec<Token>,
}

impl Tokens {
    /// Where the texts part: how much higher the first device's logit of its choice is than of the second's.
    pub fn margin(&self) -> Option<f32> {
        let at = self.part_at?;
        let logit = |id: u32| self.top_a.iter().find(|token| token.id == id).map(|token| token.logit);
        let (own, other) = (logit(*self.a.get(at)?)?, logit(*self.b.get(at)?));
        Some(other.map_or(f32::INFINITY, |other| own - other))
    }
}

/// A comparison of two devices.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it comes to.
    pub verdict: Verdict,
    /// `isolated` or `drift`.
    pub mode: &'static str,
    /// The first node that is wrong.
    pub first_bad: Option<NodeReport>,
    /// All nodes that were compared, in the graph's order.
    pub nodes: Vec<NodeReport>,
    /// What the kernels of those nodes are, by name: WGSL. Too much to read but in a page.
    #[serde(skip)]
    pub kernels: BTreeMap<String, String>,
    /// The first wrong node with what it was given, where that was asked for. It says what the prompt was, so whoever
    /// writes a report decides.
    #[serde(skip)]
    pub replay: Option<Reproducer>,
    /// Greedy continuations.
    pub tokens: Tokens,
    /// The first device, which is taken to be right.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Whether all was compared that was asked for, before time was up.
    pub whole: bool,
    /// Which bad driver was played, if one was.
    pub inject: Option<String>,
}

/// The kernels that make one value.
pub(super) fn names(kernels: &[KernelText]) -> Option<String> {
    let names: Vec<&str> = kernels.iter().map(|kernel| kernel.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(" + "))
}

/// The layer of a node, by its name.
pub(super) fn layer(name: &str) -> Option<usize> {
    name.strip_prefix("blk.")?.split('.').next()?.parse().ok()
}
