//! Where two devices part: every node of the graph on both, compared by its name.
//!
//! *Isolated*: each node of the second device gets the first one's inputs, so that an error is blamed on the operation
//! that makes it and not on those before it. *Drift*: each device feeds itself, which shows how errors grow and which
//! token flips first.

mod activations;
mod class;
mod compare;
mod diverge;
mod kept;
mod report;
mod sides;

pub use activations::{Activation, F16_MAX, activations, plan};
pub use class::Class;
pub use compare::Difference;
pub(crate) use compare::tolerance;
pub use diverge::{Mode, Options, diverge};
pub(crate) use kept::Kept;
pub use report::{NodeReport, Report, Side, Slice, Token, Tokens, Verdict};
pub use sides::{Setup, Which};
