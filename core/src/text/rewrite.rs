//! The same in other words. A text too long for the context is rewritten part by part, in order.

use super::prefix::Prefix;
use super::prompt::{Prompt, count, parts};
use super::stream::{Progress, Step, Task, TaskStream};
use super::summarize::faithful;
use crate::generate::Sampling;
use crate::{Cancel, Engine, Error, Result, Session, Stats};
use serde::Serialize;
use std::collections::VecDeque;

/// How a text should sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Warm.
    Friendly,
    /// Polite and businesslike.
    Formal,
    /// The same in fewer words.
    Shorter,
    /// Only mistakes of spelling, grammar and punctuation change.
    Proofread,
    /// In the caller's words: `"more confident"`, `"like a pirate"`.
    Custom(String),
}

impl std::str::FromStr for Tone {
    type Err = Error;

    /// A known tone by its name, else a custom one.
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text.trim().to_lowercase().as_str() {
            "" => return Err(Error::Option { name: "tone".into(), what: "is empty; say how it should sound".into() }),
            "friendly" => Self::Friendly,
            "formal" | "professional" => Self::Formal,
            "shorter" | "short" | "concise" => Self::Shorter,
            "proofread" => Self::Proofread,
            _ => Self::Custom(text.trim().to_owned()),
        })
    }
}

/// How to rewrite.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// How the text should sound.
    pub tone: Tone,
    /// Other sampling than the default: greedy, with a repetition penalty of 1.05 (none for proofreading, which must
    /// repeat). The limit of tokens is still the task's.
    pub sampling: Option<Sampling>,
}

/// A rewritten text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rewritten {
    /// The text; empty for an empty text.
    pub text: String,
    /// Parts that the text was split into.
    pub parts: usize,
    /// What it took.
    pub stats: Stats,
}

/// A text that is being rewritten.
pub type RewriteStream<'s> = TaskStream<'s, Plan>;

/// Rewrites a text. Nothing is run before the first pull.
///
/// # Errors
/// [`Error::Option`] where the context is too small for any part of a text.
pub fn rewrite<'s>(
    session: &'s mut Session,
    text: &str,
    options: &Rewrite,
    cancel: &Cancel,
) -> Result<RewriteStream<'s>> {
    let engine = session.engine();
    let prompt = wording(&options.tone);
    let mut sampling = faithful(options.sampling.as_ref());
    if options.tone == Tone::Proofread && options.sampling.is_none() {
        sampling.repetition_penalty = 1.0;
    }
    sampling.stop.extend(prompt.stops(engine));
    // The answer is about as long as the text: both take a share of what the instructions leave.
    let room = engine.context().saturating_sub(prompt.overhead(engine)?);
    let limit = room.saturating_sub(32) * 2 / 5;
    if limit < super::split::LEAST {
        let what = format!("is {}, too small for instructions and text; give at least 256", engine.context());
        return Err(Error::Option { name: "context".into(), what });
    }
    let todo: VecDeque<String> = parts(engine, text, limit)?.into();
    let prefix = Prefix::new(engine, prompt.fixed(engine)?, todo.len() > 1);
    let plan = Plan { prompt, sampling, of: todo.len(), todo };
    Ok(TaskStream::new(session, plan, prefix, cancel))
}

/// What is left to be rewritten.
#[derive(Debug)]
pub struct Plan {
    prompt: Prompt,
    sampling: Sampling,
    todo: VecDeque<String>,
    of: usize,
}

impl Task for Plan {
    type Output = Rewritten;

    fn next(&mut self, engine: &Engine) -> Result<Option<Step>> {
        let Some(text) = self.todo.pop_front() else { return Ok(None) };
        let part = self.of - self.todo.len();
        let lead = if part > 1 { "\n\n".into() } else { String::new() };
        let ids = self.prompt.encode(engine, &text)?;
        let most = (count(engine, &text)? * 3 / 2 + 32).min(engine.context().saturating_sub(ids.len())).max(1);
        let sampling = self.sampling.clone().max_tokens(most);
        Ok(Some(Step { progress: Progress { part, parts: self.of, round: 0 }, lead, ids, sampling, show: true }))
    }

    fn done(&mut self, _: String) {}

    fn output(self, text: String, stats: Stats) -> Rewritten {
        Rewritten { text, parts: self.of, stats }
    }
}

fn wording(tone: &Tone) -> Prompt {
    let instruction = match tone {
        Tone::Friendly => "Rewrite the text so that it sounds friendly and warm. Keep the meaning. Reply with the rewritten text only.".into(),
        Tone::Formal => "Rewrite the text so that it sounds formal and polite. Keep the meaning. Reply with the rewritten text only.".into(),
        Tone::Shorter => "Rewrite the text in fewer words. Keep the meaning. Reply with the rewritten text only.".into(),
        Tone::Proofread => "Correct the spelling, grammar and punctuation of the text. Change nothing else. Reply with the corrected text only.".into(),
        Tone::Custom(tone) => format!("Rewrite the text so that it sounds {tone}. Keep the meaning. Reply with the rewritten text only."),
    };
    let examples: &[(&str, &str)] = match tone {
        Tone::Friendly => &[(
            "The meeting is at 3. Do not be late.",
            "Hi! Our meeting starts at 3, and I'd love to see everyone there on time. See you soon!",
        )],
        Tone::Formal => &[(
            "hey, can't make it today, sorry!",
            "Dear colleague, unfortunately I am unable to attend today. Please accept my apologies.",
        )],
        Tone::Shorter => &[(
            "I just wanted to let you know that I am going to be arriving around ten minutes late.",
            "I'll be ten minutes late.",
        )],
        Tone::Proofread => &[
            ("their is two apple on teh table", "There are two apples on the table."),
            ("I has went to school yesterday", "I went to school yesterday."),
        ],
        Tone::Custom(_) => &[],
    };
    Prompt { instruction, input: "Text", output: "Rewritten", examples, lines: true }
}
