//! How far a long call is, and the way to stop it.

use kinglet::Cancel;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A hand on a long call: given to it, asked for progress, told to stop. One for each call; it stays cancelled.
///
/// Kotlin and Python stop a call as well by cancelling what awaits it. Swift does not: call `cancel()` there.
#[derive(Debug, Default, uniffi::Object)]
pub struct Work {
    cancel: Cancel,
    done: AtomicU64,
    total: AtomicU64,
}

/// How far a call is, in its own unit: bytes of weights for loading, questions for a qualification, nodes for an
/// isolated comparison, runs for a benchmark. It may begin again, for `auto` tries one device after the other.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct WorkProgress {
    /// Done so far.
    pub done: u64,
    /// Of so much; 0 before the first news.
    pub total: u64,
    /// Their quotient, 0 to 1.
    pub fraction: f64,
}

#[uniffi::export]
impl Work {
    /// For a call to come.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Stops the call, which ends with `Cancelled`, or with what was found until then where it says so.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Whether it was told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// How far the call is.
    pub fn progress(&self) -> WorkProgress {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let fraction = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
        WorkProgress { done, total, fraction }
    }
}

impl Work {
    /// The caller's, or one that nobody watches.
    pub(crate) fn of(work: Option<Arc<Self>>) -> Arc<Self> {
        work.unwrap_or_default()
    }

    /// What the core is stopped with.
    pub(crate) fn token(&self) -> &Cancel {
        &self.cancel
    }

    /// Takes note of news.
    pub(crate) fn note(&self, done: usize, total: usize) {
        self.total.store(total as u64, Ordering::Relaxed);
        self.done.store(done as u64, Ordering::Relaxed);
    }
}
