//! Summaries. A text that does not fit the context is summarised in parts, and the summaries are summarised.

use super::prefix::Prefix;
use super::prompt::{Prompt, count, parts};
use super::stream::{Progress, Step, Task, TaskStream};
use crate::generate::Sampling;
use crate::{Cancel, Engine, Result, Session, Stats};
use serde::Serialize;
use std::collections::VecDeque;

/// What a summary looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// One sentence.
    #[default]
    Sentence,
    /// A few short lines, each with a dash.
    Bullets,
    /// A few words, as over an article.
    Headline,
    /// A short paragraph.
    Digest,
}

/// A hint of how long a summary should be. The model may not heed it, but an answer of twice that is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// About so many words.
    Words(usize),
    /// About so many sentences, or lines where the style is bullets.
    Sentences(usize),
}

/// How to summarise.
#[derive(Clone, Debug, Default)]
pub struct Summarize {
    /// What the summary looks like.
    pub style: Style,
    /// How long it should be; by default what the style says.
    pub length: Option<Length>,
    /// Other sampling than the default: greedy, with a repetition penalty of 1.05, since models this small run into
    /// loops. A larger one makes them change numbers and names. The limit of tokens is still the task's.
    pub sampling: Option<Sampling>,
}

/// A summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The summary; empty for an empty text. Cancelled between parts, it is the summaries of the parts that were done.
    pub summary: String,
    /// Parts that the text was split into.
    pub parts: usize,
    /// What it took.
    pub stats: Stats,
}

/// A summary on its way.
pub type SummaryStream<'s> = TaskStream<'s, Plan>;

/// Sampling of tasks that stay close to their text.
pub(super) fn faithful(sampling: Option<&Sampling>) -> Sampling {
    sampling.cloned().unwrap_or_else(|| Sampling { repetition_penalty: 1.05, ..Sampling::greedy() })
}

/// Summarises a text. Nothing is run before the first pull.
///
/// # Errors
/// [`Error::Option`](crate::Error::Option) where the context is too small for any part of a text.
pub fn summarize<'s>(
    session: &'s mut Session,
    text: &str,
    options: &Summarize,
    cancel: &Cancel,
) -> Result<SummaryStream<'s>> {
    let plan = Plan::new(session.engine(), text, options)?;
    let prefix = Prefix::new(session.engine(), plan.prompt.fixed(session.engine())?, plan.parts > 1);
    Ok(TaskStream::new(session, plan, prefix, cancel))
}

/// What is left to be summarised.
#[derive(Debug)]
pub struct Plan {
    prompt: Prompt,
    sampling: Sampling,
    limit: usize,
    /// Parts of the text, however many rounds follow.
    parts: usize,
    round: usize,
    /// Parts of this round, those to come.
    todo: VecDeque<String>,
    of: usize,
    /// Summaries of this round's parts.
    done: Vec<String>,
    finished: bool,
}

/// Tokens that a text may have, so that prompt and answer fit the context as well.
pub(super) fn limit(engine: &Engine, prompt: &Prompt, answer: usize) -> Result<usize> {
    let context = engine.context();
    let taken = prompt.overhead(engine)? + answer;
    let room = context.saturating_sub(taken);
    if room < super::split::LEAST {
        return Err(crate::Error::Option {
            name: "context".into(),
            what: format!("is {context}, of which instructions and answer take {taken}; give at least {}", taken + 64),
        });
    }
    Ok(room)
}

impl Plan {
    fn new(engine: &Engine, text: &str, options: &Summarize) -> Result<Self> {
        let (prompt, answer) = wording(options.style, options.length);
        let answer = answer.min(engine.context() / 4).max(8);
        let mut sampling = faithful(options.sampling.as_ref()).max_tokens(answer);
        sampling.stop.extend(prompt.stops(engine));
        let limit = limit(engine, &prompt, answer)?;
        let todo: VecDeque<String> = parts(engine, text, limit)?.into();
        let of = todo.len();
        Ok(Self { prompt, sampling, limit, parts: of, round: 0, todo, of, done: Vec::new(), finished: of == 0 })
    }

    /// The summaries become the text, if they are several.
    fn next_round(&mut self, engine: &Engine) -> Result<()> {
        let text = std::mem::take(&mut self.done).join("\n");
        let mut next = parts(engine, &text, self.limit)?;
        if next.len() >= self.of {
            // Summaries no shorter than their texts would go round for ever.
            next.truncate(1);
        }
        (self.of, self.todo) = (next.len(), next.into());
        self.round += 1;
        self.finished = self.of == 0;
        Ok(())
    }
}

impl Task for Plan {
    type Output = Summary;

    fn next(&mut self, engine: &Engine) -> Result<Option<Step>> {
        if self.todo.is_empty() && !self.finished {
            self.next_round(engine)?;
        }
        if self.finished {
            return Ok(None);
        }
        let Some(text) = self.todo.pop_front() else { return Ok(None) };
        let last = self.of == 1;
        let part = self.of - self.todo.len();
        self.finished = last;
        Ok(Some(Step {
            progress: Progress { part, parts: self.of, round: self.round },
            lead: String::new(),
            ids: self.prompt.encode(engine, &text)?,
            sampling: self.sampling.clone(),
            show: last,
        }))
    }

    fn done(&mut self, text: String) {
        if !text.is_empty() && !self.finished {
            self.done.push(text);
        }
    }

    fn output(self, text: String, stats: Stats) -> Summary {
        let summary = if text.is_empty() { self.done.join("\n") } else { text };
        Summary { summary, parts: self.parts, stats }
    }
}

/// The prompt of a style, and how many tokens its answer may take.
fn wording(style: Style, length: Option<Length>) -> (Prompt, usize) {
    let (what, tokens) = match (style, length) {
        (Style::Sentence, None) => ("Summarize the text in one short sentence.".into(), 64),
        (Style::Bullets, None) => ("Summarize the text in three short bullet points.".into(), 128),
        (Style::Digest, None) => ("Summarize the text in three sentences.".into(), 160),
        (Style::Bullets, Some(Length::Sentences(n))) => {
            (format!("Summarize the text in {n} short bullet points."), n.saturating_mul(64))
        }
        (Style::Headline, None | Some(Length::Sentences(_))) => ("Write a short headline for the text.".into(), 28),
        (_, Some(Length::Sentences(1))) => ("Summarize the text in one sentence.".into(), 80),
        (_, Some(Length::Sentences(n))) => (format!("Summarize the text in {n} sentences."), n.saturating_mul(64)),
        (Style::Sentence | Style::Digest, Some(Length::Words(n))) => {
            (format!("Summarize the text in about {n} words."), n.saturating_mul(3))
        }
        (Style::Bullets, Some(Length::Words(n))) => {
            (format!("Summarize the text in short bullet points, about {n} words in all."), n.saturating_mul(3))
        }
        (Style::Headline, Some(Length::Words(n))) => {
            (format!("Write a headline of about {n} words for the text."), n.saturating_mul(3))
        }
    };
    let examples = match style {
        Style::Sentence => SENTENCE,
        Style::Bullets => BULLETS,
        Style::Headline => HEADLINE,
        Style::Digest => DIGEST,
    };
    let lines = style == Style::Bullets;
    (Prompt { instruction: what, input: "Text", output: "Summary", examples, lines }, tokens.clamp(16, 1024))
}

const CINEMA: &str = "The cinema on Mill Road will stay open after all. Its owners had planned to sell the building \
in June, but more than two thousand people gave money to a fund that will pay the rent for the next five years. \
Repairs to the roof begin next week, and the first film after them will be shown in September.";
const TRIAL: &str = "Researchers in Lisbon tested a cheap sensor that warns of leaking water pipes. In a trial with 400 \
homes it found nine leaks out of ten within a day. The city now wants to install it in every school.";

const SENTENCE: &[(&str, &str)] = &[
    (CINEMA, "The cinema on Mill Road stays open because donations will pay its rent for five years."),
    (TRIAL, "A cheap sensor from Lisbon found nine out of ten leaking pipes within a day and will go into schools."),
];
const BULLETS: &[(&str, &str)] = &[
    (
        CINEMA,
        "\n- The cinema on Mill Road stays open.\n- Two thousand people pay its rent for five years.\n- Films return in September.",
    ),
    (
        TRIAL,
        "\n- Lisbon researchers tested a cheap leak sensor.\n- It found nine leaks out of ten within a day.\n- The city wants it in every school.",
    ),
];
const HEADLINE: &[(&str, &str)] =
    &[(CINEMA, "Donations save the cinema on Mill Road"), (TRIAL, "Cheap sensor finds leaking pipes within a day")];
const DIGEST: &[(&str, &str)] = &[
    (
        CINEMA,
        "The cinema on Mill Road will not be sold. Donations from two thousand people pay its rent for five years. After repairs it opens again in September.",
    ),
    (
        TRIAL,
        "Researchers in Lisbon tested a cheap sensor for leaking pipes. It found nine leaks out of ten within a day. The city wants one in every school.",
    ),
];

/// Whether a text is so short that it says no more than a summary would.
pub(super) fn is_short(engine: &Engine, text: &str) -> Result<bool> {
    Ok(text.len() < 400 && count(engine, text)? <= 24)
}
