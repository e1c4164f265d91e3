//! Shows an answer while it comes.

use crate::app::{App, Outcome};
use crate::failure::Failure;
use crate::screen::Screen;
use kinglet::engine::Generation;
use kinglet::generate::StopReason;

/// Pulls all of an answer. Prints each piece at once, unless the result will be JSON.
pub fn follow(app: &App, generation: &mut Generation<'_>) -> Result<String, Failure> {
    let mut text = String::new();
    let mut screen = Screen::new(generation.session().engine().may_take_back());
    for piece in generation {
        let piece = piece?;
        if !app.json {
            screen.take_back(piece.take_back)?;
            screen.say(&piece.text)?;
        }
        piece.add_to(&mut text);
    }
    if !app.json {
        screen.end()?;
    }
    Ok(text)
}

/// How a command with that answer ended.
pub fn outcome(stop: Option<StopReason>) -> Outcome {
    if stop == Some(StopReason::Cancelled) { Outcome::Cancelled } else { Outcome::Done }
}
