//! What the text commands share: texts in, one result each out.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::input::{self, Text};
use crate::sampling::SamplingArgs;
use crate::screen::Screen;
use crate::{output, progress, stats};
use clap::Args;
use kinglet::text::{Event, Task, TaskStream};
use kinglet::{Cancel, Session, Stats, StopReason};
use serde::Serialize;
use std::path::PathBuf;

/// The texts of a command.
#[derive(Args, Debug)]
pub struct TextArgs {
    /// Text files, each treated on its own; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// One text's result, as JSON.
#[derive(Serialize)]
struct Named<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(flatten)]
    result: T,
    stop: Option<&'static str>,
}

/// A task's result.
pub trait Outcomes: Serialize {
    /// What it took.
    fn stats(&self) -> &Stats;
}

impl TextArgs {
    /// Runs a task on each text, in one session, so that the instructions are computed once. `task` prints its result
    /// unless it will be JSON.
    pub fn each<T: Outcomes>(
        &self,
        app: &App,
        mut task: impl FnMut(&mut Session, &str, &Cancel) -> Result<T, Failure>,
    ) -> Ran {
        let texts = input::read_all(&self.files)?;
        let engine = self.model.open(app)?;
        let mut session = engine.session()?;
        let cancel = app.interrupt.begin();
        let mut results = Vec::new();
        let mut outcome = Outcome::Done;
        for Text { name, text } in &texts {
            let file = (texts.len() > 1).then_some(name.as_str());
            if let Some(file) = file
                && !app.json
            {
                output::line(&format!("# {file}"))?;
            }
            match task(&mut session, text, &cancel) {
                Err(failure) if failure.is_cancelled() && !results.is_empty() => {
                    outcome = Outcome::Cancelled;
                    break;
                }
                result => {
                    let result = result?;
                    let taken = result.stats();
                    if !app.json {
                        app.note(&stats::line(taken, &engine));
                    }
                    let stop = taken.stop;
                    results.push(Named { file, stop: stop.map(StopReason::name), result });
                    if stop == Some(StopReason::Cancelled) {
                        outcome = Outcome::Cancelled;
                        break;
                    }
                }
            }
        }
        if app.json {
            match (texts.len(), results.first()) {
                (1, Some(only)) => output::json(only)?,
                _ => output::json(&serde_json::json!({ "results": results }))?,
            }
        }
        Ok(outcome)
    }
}

/// Shows a task's text while it comes, and until then how many parts are done where there are several.
pub fn follow<T: Task>(app: &App, mut stream: TaskStream<'_, T>) -> Result<T::Output, Failure> {
    // Gone when there is text: both would be written to the same line of a terminal.
    let mut bar = Some(progress::counting(app, "part"));
    let mut screen = Screen::new(stream.engine().may_take_back());
    for event in &mut stream {
        match (event?, app.json) {
            (Event::Progress(at), _) if at.parts > 1 => {
                if let Some(bar) = &bar {
                    bar.set_length(at.parts as u64);
                    bar.set_position(at.part as u64);
                }
            }
            (Event::Text(text), false) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                screen.say(&text)?;
            }
            (Event::TakeBack(characters), false) => screen.take_back(characters)?,
            (Event::Progress(_) | Event::Text(_) | Event::TakeBack(_), _) => {}
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if !app.json {
        screen.end()?;
    }
    Ok(stream.finish()?)
}
