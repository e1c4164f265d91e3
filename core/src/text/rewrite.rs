//! The same in other words. A text too long for the context is rewritten part by part, in order.

use super::prefix::Prefix;
use super::prompt::{Prompt, count, parts};
use super::stream::{Progress, Step, Task, TaskStream};
use super::summarize::answering;
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

impl Tone {
    /// What a text is rewritten with unless the caller says otherwise: [`Sampling::faithful`], for proofreading without
    /// a penalty, since what was right must be repeated.
    pub fn sampling(&self) -> Sampling {
        let penalty = if *self == Self::Proofread { 1.0 } else { 1.05 };
        Sampling { repetition_penalty: penalty, ..Sampling::faithful() }
    }
}

/// How to rewrite.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// How the text should sound.
    pub tone: Tone,
    /// Other sampling than the [tone's own](Tone::sampling). Its limit of tokens counts for each part, where it
    /// is lower than the task's own.
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
    let prompt = wording(&options.tone).fitting(engine)?;
    let mut sampling = answering(options.sampling.as_ref(), || options.tone.sampling(), usize::MAX);
    sampling.stop.extend(prompt.stops(engine));
    // The answer is about as long as the text: both take a share of what the instructions leave.
    let room = engine.context().saturating_sub(prompt.overhead(engine)?);
    let limit = room.saturating_sub(32) * 2 / 5;
    if limit < super::split::LEAST {
        let what = format!("is {}, too small for instructions and text; give at least 256", engine.context());
        return Err(Error::Option { name: "context".into(), what });
    }
    let todo: VecDeque<String> = parts(engine, text, limit)?.into();
    let prefix = Prefix::new(engine, [prompt.beginning(engine)?], todo.len() > 1);
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
        let mut sampling = self.sampling.clone().max_tokens(most.min(self.sampling.max_tokens));
        // Small models like to explain themselves in a paragraph of their own.
        if !text.trim().contains("\n\n") {
            sampling.stop.push("\n\n".into());
        }
        Ok(Some(Step {
            progress: Progress { part, parts: self.of, round: 0 },
            lead,
            ids,
            goes_on: false,
            sampling,
            show: true,
        }))
    }

    fn done(&mut self, _: String) {}

    fn output(self, text: String, stats: Stats) -> Rewritten {
        Rewritten { text, parts: self.of, stats }
    }
}

fn wording(tone: &Tone) -> Prompt {
    let make_it = |how: &str| format!("Rewrite the input text to make it {how}, keeping its meaning.");
    let instruction = match tone {
        Tone::Friendly => make_it("friendlier"),
        Tone::Formal => make_it("more formal and polite"),
        Tone::Shorter => make_it("shorter"),
        Tone::Proofread => "Correct the spelling and grammar of the input text. Change nothing else.".into(),
        Tone::Custom(tone) => format!("Rewrite the input text so that it sounds {tone}, keeping its meaning."),
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
            ("Can you send me the adress? I will come at eight.", "Can you send me the address? I will come at eight."),
        ],
        Tone::Custom(_) => &[],
    };
    let proofread = *tone == Tone::Proofread;
    let opening = if proofread { "Here is the corrected text:\n\n" } else { "Here is the rewritten text:\n\n" };
    let output = if proofread { "Corrected" } else { "Rewritten" };
    Prompt { instruction, input: "Text", output, opening, examples, lines: true, ..Prompt::default() }
}
