//! The text tasks as functions of a [`Session`](crate::Session): summarise, rewrite, extract, classify, reply, and a
//! digest of notifications.
//!
//! Tasks that write text return a [`TaskStream`]: pull [`Event`]s from it, then ask for the result with
//! [`finish`](TaskStream::finish). The others return their result. All results serialise to JSON and carry
//! [`Stats`](crate::Stats) of everything that the task took. Text that is empty or white space gives an empty result
//! and the model is not run.
//!
//! A session may be used for one task after another: whatever the next prompt shares with what the session holds
//! is not computed again. Text longer than the context is split ([`split`]) and treated part by part.
//!
//! A model whose file brings a chat template gets one short instruction in it; any other model is taken for one
//! without instruct tuning and continues a page of worked examples instead. In neither can text become a control token.
//!
//! Knows nothing of devices, files or how a token is computed.

mod classify;
mod digest;
mod extract;
mod form;
mod labels;
mod meter;
mod ordered;
mod prefix;
mod prompt;
mod reply;
mod rewrite;
pub mod split;
mod stream;
mod summarize;
#[cfg(test)]
mod tests;

pub use classify::{Classification, Classifier, Classify, classify};
pub use digest::{Digest, DigestStream, Group, Notification, digest};
pub use extract::{Extract, Extraction, extract};
pub use ordered::Ordered;
pub use reply::{Reply, ReplyOptions, reply};
pub use rewrite::{Rewrite, RewriteStream, Rewritten, Tone, rewrite};
pub use stream::{Event, Progress, Task, TaskStream};
pub use summarize::{Length, Style, Summarize, Summary, SummaryStream, summarize};

use crate::{Error, Result};

/// Names that must be there, differ, and not be empty: labels, fields.
fn check_names(option: &str, names: &[String]) -> Result<()> {
    let refuse = |what: String| Err(Error::Option { name: option.into(), what });
    if names.is_empty() {
        return refuse("is empty; give at least one".into());
    }
    for (i, name) in names.iter().enumerate() {
        if name.trim().is_empty() {
            return refuse(format!("number {} is empty; give it a name", i + 1));
        }
        if names.iter().take(i).any(|other| other == name) {
            return refuse(format!("{name:?} is there twice; leave one out"));
        }
    }
    Ok(())
}
