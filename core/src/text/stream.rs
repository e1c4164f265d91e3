//! A task that writes text, pulled piece by piece: several generations, one after another.

use super::meter::Meter;
use super::prefix::Prefix;
use crate::engine::shorten;
use crate::generate::{Sampling, StopReason};
use crate::{Cancel, Engine, Error, Generation, Result, Session, Stats};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Instant;

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The part that is worked on, from 1.
    pub part: usize,
    /// Parts of this round.
    pub parts: usize,
    /// Round, from 0: a long text is summarised in parts, the summaries are summarised in the next round, and so on.
    pub round: usize,
}

/// Something to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another part has begun.
    Progress(Progress),
    /// Text of the result: whole characters.
    Text(String),
    /// So many of the characters given out last were wrong and go: a GPU was found out. What is right follows.
    TakeBack(usize),
}

/// One generation of a task.
#[derive(Debug)]
pub struct Step {
    pub(super) progress: Progress,
    /// Text of the result that goes before the generation's.
    pub(super) lead: String,
    /// The prompt; none if `lead` is all there is.
    pub(super) ids: Vec<u32>,
    /// Whether the prompt goes on from what the session holds, which is all of the last generation but its last token.
    pub(super) goes_on: bool,
    pub(super) sampling: Sampling,
    /// Whether the generated text is part of the result.
    pub(super) show: bool,
}

/// The plan of a task: what to generate next, given what was generated. Only this crate's tasks are.
pub trait Task {
    /// The result.
    type Output;
    /// The next generation, or none if that was all.
    fn next(&mut self, engine: &Engine) -> Result<Option<Step>>;
    /// Takes what was generated, trimmed.
    fn done(&mut self, text: String);
    /// The result so far; `text` is what was given out.
    fn output(self, text: String, stats: Stats) -> Self::Output;
}

/// A task on its way: an iterator of [`Event`]s. After cancellation it ends with what is there.
pub struct TaskStream<'s, T> {
    task: T,
    engine: Engine,
    /// `None` while a generation has it, and after an error.
    session: Option<&'s mut Session>,
    generation: Option<Generation<'s>>,
    prefix: Prefix,
    cancel: Cancel,
    meter: Meter,
    queue: VecDeque<Event>,
    show: bool,
    fed: usize,
    /// What this generation gave.
    current: String,
    /// Ids of the generations that go on from each other.
    written: Vec<u32>,
    /// What was given out.
    shown: String,
    over: bool,
}

impl<'s, T: Task> TaskStream<'s, T> {
    pub(super) fn new(session: &'s mut Session, task: T, prefix: Prefix, cancel: &Cancel) -> Self {
        let engine = session.engine().clone();
        Self {
            task,
            meter: Meter::new(&engine),
            engine,
            session: Some(session),
            generation: None,
            prefix,
            cancel: cancel.clone(),
            queue: VecDeque::new(),
            show: false,
            fed: 0,
            current: String::new(),
            written: Vec::new(),
            shown: String::new(),
            over: false,
        }
    }

    /// The engine that it runs on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the task took so far, over all its generations.
    pub fn stats(&self) -> Stats {
        self.meter.stats()
    }

    /// The result. Runs what is still to be run, unless that was cancelled.
    ///
    /// # Errors
    /// Those of the device.
    pub fn finish(mut self) -> Result<T::Output> {
        for event in &mut self {
            event?;
        }
        let stats = self.stats();
        Ok(self.task.output(self.shown.trim().to_owned(), stats))
    }

    /// Goes on until there is something to show.
    fn pull(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                match &event {
                    Event::Text(text) => self.shown.push_str(text),
                    Event::TakeBack(characters) => shorten(&mut self.shown, *characters),
                    Event::Progress(_) => {}
                }
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            match self.generation.take() {
                Some(generation) => self.advance(generation)?,
                None => self.begin()?,
            }
        }
    }

    /// Starts the next generation.
    fn begin(&mut self) -> Result<()> {
        if self.cancel.is_cancelled() {
            self.cancelled();
            return Ok(());
        }
        let Some(step) = self.task.next(&self.engine)? else {
            self.over = true;
            return Ok(());
        };
        if !step.goes_on {
            self.queue.push_back(Event::Progress(step.progress));
        }
        if !step.lead.is_empty() {
            self.queue.push_back(Event::Text(step.lead));
        }
        if step.ids.is_empty() {
            self.task.done(String::new());
            return Ok(());
        }
        let Some(session) = self.session.take() else {
            self.over = true;
            return Ok(());
        };
        let began = Instant::now();
        let ids = if step.goes_on { [session.ids(), &step.ids].concat() } else { step.ids };
        let (held, cached) = match self.prefix.enter(session, &ids, &self.cancel) {
            Err(Error::Cancelled) => {
                self.cancelled();
                return Ok(());
            }
            other => other?,
        };
        self.meter.prompt(ids.len(), cached, began.elapsed());
        (self.show, self.fed) = (step.show, ids.len() - held);
        self.current.clear();
        let mut generation = session.generate(&ids[held..], &step.sampling, &self.cancel)?.text_only();
        if step.goes_on {
            generation.penalise(&self.written);
        } else {
            self.written.clear();
        }
        self.generation = Some(generation);
        Ok(())
    }

    /// The next piece of the running generation, or its end.
    fn advance(&mut self, mut generation: Generation<'s>) -> Result<()> {
        if let Some(piece) = generation.next() {
            let piece = piece?;
            self.take_back(piece.take_back);
            // A model likes to begin with a space or a line of its own.
            let text = if self.current.is_empty() { piece.text.trim_start() } else { &piece.text };
            self.say(text);
            self.generation = Some(generation);
            return Ok(());
        }
        self.meter.generation(&generation.stats(), self.fed);
        let cut = matches!(generation.stop(), Some(StopReason::MaxTokens | StopReason::ContextFull));
        if cut && !self.current.trim_end().ends_with(['.', '!', '?', '\u{2026}', '"', '\u{201d}']) {
            self.say("\u{2026}");
        }
        if generation.stop() == Some(StopReason::Cancelled) {
            self.over = true;
        }
        self.written.extend_from_slice(generation.ids());
        self.session = Some(generation.into_session());
        self.task.done(self.current.trim().to_owned());
        Ok(())
    }

    /// Takes wrong text of the running generation back. What is left of it may have lost a space at its beginning.
    fn take_back(&mut self, characters: usize) {
        let characters = characters.min(self.current.chars().count());
        if characters > 0 {
            shorten(&mut self.current, characters);
            if self.show {
                self.queue.push_back(Event::TakeBack(characters));
            }
        }
    }

    /// Takes text of the running generation.
    fn say(&mut self, text: &str) {
        self.current.push_str(text);
        if self.show && !text.is_empty() {
            self.meter.first();
            self.queue.push_back(Event::Text(text.to_owned()));
        }
    }

    fn cancelled(&mut self) {
        self.meter.stop = Some(StopReason::Cancelled);
        self.over = true;
    }
}

impl<T: Task> Iterator for TaskStream<'_, T> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.pull();
        self.over |= event.is_err();
        event.transpose()
    }
}
