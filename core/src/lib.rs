//! Kinglet: small quantised language models on a phone, offline.

pub mod backend;
pub mod chat;
pub mod engine;
pub mod error;
pub mod generate;
pub mod gguf;
pub mod graph;
pub mod model;
pub mod ops;
pub mod precision;
pub mod quant;
pub mod schedule;
pub mod stats;
pub mod text;
pub mod tokenizer;
pub mod weights;

pub use backend::Cancel;
pub use engine::{Activations, DeviceChoice, Engine, Generation, KvType, Options, Piece, Session};
pub use error::{Error, Result};
pub use generate::{Constraint, Sampling, StopReason};
pub use stats::Stats;
