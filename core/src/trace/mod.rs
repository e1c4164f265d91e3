//! Where two devices part: every node of the graph on both, compared by its name.
//!
//! *Isolated*: each node of the second device gets the first one's inputs, so that an error is blamed on the operation
//! that makes it and not on those before it. *Drift*: each device feeds itself, which shows how errors grow and which
//! token flips first.
//!
//! A *replay* runs the node that was found to be wrong again, elsewhere, and says which of the two sides was.

mod activations;
mod class;
mod compare;
mod continuations;
mod diverge;
mod dump;
mod found;
mod given;
mod hex;
mod kept;
mod page;
mod replay;
mod report;
mod reported;
mod reproducer;
mod sides;

pub use activations::{Activation, F16_MAX, activations, plan};
pub use class::Class;
pub use compare::Difference;
pub(crate) use compare::tolerance;
pub use diverge::{FUSED_TOKENS, Mode, Options, diverge};
pub use dump::{Dumped, dump, let_go};
pub use hex::Floats;
pub(crate) use kept::Kept;
pub use page::page;
pub use replay::{Guilty, Judged, Replayed, Rerun, replay};
pub use report::{NodeReport, Report, Side, Slice, Token, Tokens, Verdict};
pub use reported::{Reported, Suspect};
pub use reproducer::{Cached, Input, Reproducer};
pub use sides::{Setup, Which};
