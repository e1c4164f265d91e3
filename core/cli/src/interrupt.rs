//! Ctrl-C. While a run is under way the first one asks it to stop with what is there; any other ends the process at once.

use crate::output;
use kinglet::backend::Cancel;
use std::sync::{Arc, Mutex, PoisonError};

/// The exit status after Ctrl-C, as shells have it: 128 + SIGINT.
pub const STATUS: u8 = 130;

/// Knows the run under way.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<Option<Cancel>>>);

impl Interrupt {
    /// Installs the handler. With `json`, an end without a result still leaves a JSON object.
    pub fn install(json: bool) -> Self {
        let interrupt = Self::default();
        let current = interrupt.clone();
        let installed = ctrlc::set_handler(move || match current.current() {
            Some(cancel) if !cancel.is_cancelled() => cancel.cancel(),
            Some(_) => std::process::exit(STATUS.into()),
            None => {
                if json {
                    // The process ends here whether or not somebody still reads.
                    let _ = output::error("cancelled", "cancelled");
                }
                std::process::exit(STATUS.into())
            }
        });
        if let Err(error) = installed {
            log::warn!("Ctrl-C will end the program without a result: {error}");
        }
        interrupt
    }

    /// From now on Ctrl-C stops what holds the returned value, until the next `begin` or [`Interrupt::idle`].
    pub fn begin(&self) -> Cancel {
        let cancel = Cancel::default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
        cancel
    }

    /// From now on Ctrl-C ends the process.
    pub fn idle(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self) -> Option<Cancel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
