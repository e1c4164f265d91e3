//! Kinglet: small quantised language models on a phone, offline.

pub mod backend;
pub mod error;
pub mod gguf;
pub mod graph;
pub mod model;
pub mod ops;
pub mod precision;
pub mod quant;
pub mod schedule;
pub mod weights;
// engine, generate, text, tokenizer: declared as they land

pub use error::{Error, Result};
