//! Kinglet: small quantised language models on a phone, offline.
//!
//! A GGUF file becomes an [`Engine`]; an engine hands out [`Session`]s; a session streams text.
//!
//! ```
//! use kinglet::{Cancel, Engine, Options, Sampling};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-llama-q4_0.gguf");
//! # let options = Options { context: Some(200), ..Options::default() };
//! # let _ = stringify! {
//! let (path, options) = ("model.gguf", Options::default());
//! # };
//! let engine = Engine::open(path, &options)?;
//! let mut session = engine.session()?;
//! let prompt = engine.prompt("Name three small birds.")?;
//! let mut answer = session.generate(&prompt, &Sampling::default().max_tokens(40), &Cancel::default())?;
//! for piece in &mut answer {
//!     print!("{}", piece?.text);
//! }
//! println!("{:?}", answer.stats());
//! # assert!(answer.stop().is_some());
//! # Ok::<(), kinglet::Error>(())
//! ```
//!
//! Nothing here needs a network, prints, or panics on a file or an argument; whatever goes wrong is an [`Error`] that
//! names the thing and the way out. A [`Cancel`] stops a generation from any thread.
//!
//! Below the front door, each module may use only those before it in this list: [`error`], [`gguf`], [`quant`] and
//! [`precision`], [`ops`], [`graph`], [`model`] and [`weights`], [`schedule`], [`backend`], [`tokenizer`], [`chat`] and
//! [`generate`], [`trace`], [`guard`], [`engine`].

pub mod backend;
pub mod chat;
pub mod engine;
pub mod error;
mod files;
pub mod generate;
pub mod gguf;
pub mod graph;
pub mod guard;
pub mod model;
pub mod ops;
pub mod precision;
pub mod quant;
pub mod schedule;
pub mod stats;
pub mod text;
pub mod tokenizer;
pub mod trace;
pub mod weights;

pub use backend::{Cancel, Meanwhile};
pub use engine::{
    Activations, DeviceChoice, Diagnose, DivergenceReport, Effort, Engine, Generation, GpuOptions, KvType, Options,
    Piece, Qualification, Qualify, Schedule, Session,
};
pub use error::{Error, Result};
pub use generate::{Constraint, Sampling, StopReason};
pub use stats::{Stats, Switched};
