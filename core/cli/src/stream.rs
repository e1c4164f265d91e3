//! Shows an answer while it comes.

use crate::app::{App, Outcome};
use crate::failure::Failure;
use crate::output;
use kinglet::engine::Generation;
use kinglet::generate::StopReason;

/// Pulls all of an answer. Prints each piece at once, unless the result will be JSON.
pub fn follow(app: &App, generation: &mut Generation<'_>) -> Result<String, Failure> {
    let mut text = String::new();
    for piece in generation {
        let piece = piece?.text;
        if !app.json {
            output::text(&piece)?;
        }
        text.push_str(&piece);
    }
    if !app.json && !text.ends_with('\n') {
        output::line("")?;
    }
    Ok(text)
}

/// How a command with that answer ended.
pub fn outcome(stop: Option<StopReason>) -> Outcome {
    if stop == Some(StopReason::Cancelled) { Outcome::Cancelled } else { Outcome::Done }
}
