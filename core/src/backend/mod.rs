//! Interpreters of one graph. A [`Program`] is a graph prepared for a device; a [`State`] is one conversation's cache.
//!
//! Knows nothing of text, sampling or families.

#[cfg(feature = "inject")]
pub mod bad;
pub mod cpu;
mod gate;
pub mod gpu;
pub mod reference;
pub mod relay;
mod saved;

pub use gate::{Gate, Meanwhile};
pub use saved::Lines;
pub(crate) use saved::not_of_this_model;

use crate::graph::NodeId;
use crate::{Error, Result};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Which logits a run returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// None: only the cache grows.
    Nothing,
    /// Those after the last token.
    Last,
    /// Those after the last token of at least the tokens that can be among the best; others may be `-inf`. Where the
    /// head is large and these are at most [`FEW`], this reads half of it.
    Best(Best),
    /// Those after every token.
    All,
}

/// The tokens with the greatest logits, after penalties that may yet lower any of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// How many.
    pub count: usize,
    /// May divide a positive logit and multiply a negative one; at least 1.
    pub penalty: f32,
    /// May be taken from a logit after that; at least 0.
    pub less: f32,
}

impl Best {
    /// The `count` greatest as they are.
    pub fn of(count: usize) -> Self {
        Self { count, penalty: 1.0, less: 0.0 }
    }

    /// What is left of a logit after all penalties. As many as reach a logit still reach this.
    pub fn floor(&self, logit: f32) -> f32 {
        (if logit > 0.0 { logit / self.penalty } else { logit * self.penalty }) - self.less
    }
}

/// The most tokens that [`Want::Best`] is good for: of more, the least lies among so many others that most of the head
/// is read after all.
pub const FEW: usize = 8;

impl Want {
    /// How many rows of logits a run of `tokens` tokens makes.
    pub fn rows(self, tokens: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Last | Self::Best(_) => tokens.min(1),
            Self::All => tokens,
        }
    }
}

/// Asks a run to stop; shared between threads.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// From now on runs end with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    /// Whether somebody cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
    /// An error once somebody cancelled.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Told how many bytes of how many are prepared; an error ends the preparation.
pub type Progress<'a> = dyn FnMut(usize, usize) -> Result<()> + 'a;

/// What runs the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `reference`, `cpu` or `gpu`.
    pub kind: &'static str,
    /// Instruction set or adapter, threads, precision: for people.
    pub detail: String,
    /// A GPU's tier.
    pub tier: Option<gpu::Tier>,
}

impl Device {
    /// One that has no tier.
    pub fn new(kind: &'static str, detail: String) -> Self {
        Self { kind, detail, tier: None }
    }
}

/// Bytes that a program and its states take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Weights as the device holds them.
    pub weights: usize,
    /// Keys and values of one session at full context.
    pub kv: usize,
    /// Intermediate values.
    pub scratch: usize,
}

impl Memory {
    /// Everything.
    pub fn total(&self) -> usize {
        self.weights.saturating_add(self.kv).saturating_add(self.scratch)
    }
}

/// A device was given up for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The kind of the device that failed, or that may not work now.
    pub from: &'static str,
    /// The kind of the device that goes on.
    pub to: &'static str,
    /// What was wrong.
    pub why: String,
    /// Whether it computed something wrong, so that what it said before is doubtful too.
    pub wrong: bool,
}

/// What a device did for a run, and what it has prepared.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Kernels by the time they took, longest first; without times where the device cannot tell.
    pub kernels: Vec<KernelTime>,
    /// Kernels started.
    pub dispatches: usize,
    /// Pieces of work handed to the device.
    pub submissions: usize,
    /// Bytes of weights read.
    pub weight_bytes: u64,
    /// Spent on moving weights to the device.
    pub upload: Duration,
    /// Spent on compiling kernels.
    pub pipelines: Duration,
    /// Bytes of the largest buffer that a kernel sees.
    pub max_binding_bytes: u64,
    /// The most storage buffers that a kernel sees.
    pub max_storage_buffers: usize,
}

/// One kernel's part of a [`Profile`].
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// Kernel and constants.
    pub name: String,
    /// How often it ran.
    pub count: usize,
    /// Time of all its runs; `None` where the device has no clock.
    pub time: Option<Duration>,
}

/// A kernel as the driver gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelText {
    /// What it is denied by.
    pub kernel: String,
    /// Kernel and constants.
    pub name: String,
    /// Whether it is denied, and this is the plainest variant.
    pub denied: bool,
    /// The whole of it, linked.
    pub wgsl: String,
}

/// One node of the chunk that would come next, to be run on its own, from values that it may not have computed.
#[derive(Clone, Copy, Debug)]
pub struct Alone<'a> {
    /// The chunk; at most as many tokens as the program takes at once.
    pub ids: &'a [u32],
    /// How many of the last rows' logits are wanted.
    pub wanted: usize,
    /// Which node.
    pub node: NodeId,
    /// Its inputs, `[rows, width]` each; empty for one that is in the cache.
    pub inputs: &'a [&'a [f32]],
    /// By the kernel that computes it fused with other nodes: `inputs` are then those of [`Fused`].
    pub fused: bool,
}

/// What a kernel computes that is several nodes' work, where the chunk is one token whose logits are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fused {
    /// The nodes whose values it starts from.
    pub inputs: Vec<NodeId>,
    /// The nodes that it computes on its way, the one that is asked for among them.
    pub nodes: Vec<NodeId>,
}

/// A graph prepared for a device. One run at a time; states are independent of each other.
pub trait Program: Send {
    /// What it runs on.
    fn device(&self) -> Device;

    /// What it and one session of `context` positions take.
    fn memory(&self, context: usize) -> Memory;

    /// An empty cache for up to `context` positions.
    fn state(&self, context: usize) -> Result<Box<dyn State>>;

    /// Feeds `ids` after what `state` holds, in chunks. `logits` receives the wanted rows, `[rows, vocab]`.
    ///
    /// On an error, cancellation among them, `state` stands where the last whole chunk ended, and `logits` is unspecified.
    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()>;

    /// A node's output in the last chunk run, `[rows, width]`; `None` where the program did not keep it.
    fn read(&self, node: NodeId) -> Option<Vec<f32>>;

    /// Runs one node and returns its output, `[rows, width]`. A node that appends does so; else the state stays as it
    /// is, and [`State::advance`] ends a chunk whose nodes were all run. `None` where the device cannot run nodes alone.
    fn run_node(&mut self, _state: &mut dyn State, _alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }

    /// How a fused kernel comes to this node's value; `None` where none writes it.
    fn fused(&self, _node: NodeId) -> Option<&Fused> {
        None
    }

    /// The kernels that compute a node of a chunk of so many tokens when it runs alone, in their order; none where there
    /// are no kernels. Those of [`Alone::fused`], if that is asked for.
    fn kernels(&self, _node: NodeId, _tokens: usize, _fused: bool) -> Vec<KernelText> {
        Vec::new()
    }

    /// Uses no more than this part of the processors that it was given, all divided by `divisor`; a GPU's submissions are
    /// that much smaller.
    fn share(&mut self, _divisor: usize) {}

    /// What stops its work, where it may have to stop.
    fn gate(&self) -> Option<Gate> {
        None
    }

    /// The devices that were given up so far.
    fn switches(&self) -> &[Switch] {
        &[]
    }

    /// Goes on on `other`, since this device turned out to be wrong.
    ///
    /// # Errors
    /// `why` from a program that runs on one device only.
    fn distrust(&mut self, why: Error, _other: Box<dyn Program>) -> Result<()> {
        Err(why)
    }

    /// Feeds `ids` as [`run`](Self::run) does for their last logits, and says what the device did for it; `None` from
    /// one that has nothing to tell.
    fn profile(&mut self, _state: &mut dyn State, _ids: &[u32], _cancel: &Cancel) -> Result<Option<Profile>> {
        Ok(None)
    }
}

/// Runs one node as [`Program::run_node`] does, on a device of which nothing else is of use.
///
/// # Errors
/// The device's own, and [`Error::Option`] from one that does not run nodes alone.
pub(crate) fn run_alone(program: &mut dyn Program, state: &mut dyn State, alone: &Alone<'_>) -> Result<Vec<f32>> {
    program.run_node(state, alone)?.ok_or_else(|| Error::Option {
        name: "device".into(),
        what: format!(
            "is {}, which does not run nodes alone, or not so many tokens; use the plain schedule, or drift mode",
            program.device().kind
        ),
    })
}

/// Keys and values of one conversation.
pub trait State: Send {
    /// Positions fed so far.
    fn position(&self) -> usize;

    /// Positions it can hold.
    fn context(&self) -> usize;

    /// Forgets everything from position `to` on. Fails where a sliding window has dropped what `to` would need.
    fn truncate(&mut self, to: usize) -> Result<()>;

    /// An independent copy.
    fn fork(&self) -> Result<Box<dyn State>>;

    /// Takes the next `count` positions as filled, whose nodes were run one by one.
    fn advance(&mut self, _count: usize) {}

    /// Hands out what it holds, layer by layer; nothing where it would have to be computed again.
    fn save(&self, _layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        Ok(())
    }

    /// Holds `ids` afterwards, of which `layers` are all layers of an earlier [`save`](Self::save), perhaps on another
    /// device; to be called on an empty state. False where the ids have to be fed instead.
    fn restore(&mut self, _ids: &[u32], _layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        Ok(false)
    }

    /// For the program to find its own kind again.
    fn as_any(&mut self) -> &mut dyn Any;
}
