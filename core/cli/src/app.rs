//! What every command gets: how to talk, and who may interrupt.

use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Settings of the whole program.
pub struct App {
    /// One JSON object on standard output instead of text.
    pub json: bool,
    /// Nothing but errors on standard error.
    pub quiet: bool,
    /// Ctrl-C.
    pub interrupt: Interrupt,
}

impl App {
    /// A message for people, on standard error.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            eprintln!("{message}");
        }
    }
}

/// How a command that printed its result ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is there.
    Done,
    /// Ctrl-C: what is there was printed.
    Cancelled,
    /// Some of the lines were errors, each printed in its place.
    Partly,
}

/// What a command returns.
pub type Ran = Result<Outcome, Failure>;
