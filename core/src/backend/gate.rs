//! Whether a GPU may work now: an app in the background may not, on some systems at the price of its life.

use super::Cancel;
use crate::{Error, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What runs do while a GPU may not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// They wait until it may, or until they are cancelled.
    Wait,
    /// They end with [`Error::Suspended`]; under `auto` they go on on the CPU.
    Leave,
}

/// A gate before the GPU; shared between threads.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    closed: Option<Meanwhile>,
    inside: usize,
}

/// As long as it lives, the GPU has work.
pub(super) struct Inside<'a>(&'a Gate);

/// A waiting run looks this often whether it was cancelled.
const LOOK: Duration = Duration::from_millis(10);

impl Gate {
    /// Closes it, and returns once the GPU has nothing more to do: at most one submission later.
    pub fn close(&self, meanwhile: Meanwhile) {
        let mut now = self.now();
        now.closed = Some(meanwhile);
        // Those that wait or come now must do as they are told now.
        self.0.changed.notify_all();
        while now.closed.is_some() && now.inside > 0 {
            now = self.0.changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Opens it again.
    pub fn open(&self) {
        self.now().closed = None;
        self.0.changed.notify_all();
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.now().closed.is_some()
    }

    /// Goes in, or waits, or refuses.
    pub(super) fn enter(&self, cancel: &Cancel) -> Result<Inside<'_>> {
        let mut now = self.now();
        loop {
            match now.closed {
                None => break,
                Some(Meanwhile::Leave) => return Err(Error::Suspended),
                Some(Meanwhile::Wait) => {
                    cancel.check()?;
                    now = self.0.changed.wait_timeout(now, LOOK).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        now.inside += 1;
        drop(now);
        Ok(Inside(self))
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.now().inside -= 1;
        self.0.0.changed.notify_all();
    }
}
