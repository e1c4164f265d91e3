//! The GPU backend: the graph through WGSL kernels. wgpu appears nowhere else in the crate.
//!
//! A GPU is an untrusted coprocessor: whatever it refuses or loses is an error, never a panic; a submission is bounded
//! in time, so that the screen stays smooth and a caller can cancel; what must be f32 is f32 on every tier.
//!
//! Embedding rows and rope's angles come from the CPU: a row is 2.5 KB where a table is 170 MiB, and angles need f64.

mod adapter;
mod best;
mod bind;
mod cache;
mod corpus;
mod deny;
mod device;
mod drivers;
mod fuse;
mod kv;
mod lists;
mod pace;
mod pipelines;
mod plan;
mod profile;
mod program;
mod run;
mod values;
mod weights;

pub use adapter::{Adapter, Tier, adapters, chosen};
pub use corpus::{Corpus, Outcome, Tried, Wrong, corpus};
pub use deny::{BEST, ONE_ROW, stand_in};
pub use program::Gpu;

use crate::graph::PrecisionPlan;
use crate::precision::{Activations, KvType};
use crate::schedule::Keep;
use std::path::PathBuf;

/// How a program is prepared.
#[derive(Clone, Debug)]
pub struct Options {
    /// A part of the adapter's name; the best one without.
    pub adapter: Option<String>,
    /// The tier; the adapter's own without.
    pub tier: Option<Tier>,
    /// CPU threads for packing.
    pub threads: usize,
    /// Most tokens of a chunk.
    pub chunk: usize,
    /// How activations enter integer products.
    pub activations: Activations,
    /// How keys and values are stored.
    pub kv: KvType,
    /// One call a node instead of fused ones.
    pub plain: bool,
    /// Kernels, by their names or beginnings of names, that something plainer is run for.
    pub deny: Vec<String>,
    /// What may be stored in less than f32. Kernels store f32 everywhere as yet.
    pub precision: PrecisionPlan,
    /// Which values stay readable.
    pub keep: Keep,
    /// A folder where compiled kernels are kept for the next start, if anywhere.
    pub cache: Option<PathBuf>,
    /// The device is destroyed after so many submissions: a lost GPU, to be tried out.
    pub lose_after: Option<usize>,
}

/// Bytes that a session's keys and values take.
pub use kv::bytes as kv_bytes;
