//! Summaries. A text that does not fit the context is summarised in parts, and the summaries are summarised.
//!
//! A summary is the first point, or the first few, of a numbered list whose numbers are written for the model: small
//! models neither count nor keep to a form, but a list they continue with what the text says. The list ends early where it
//! is half as long as the text.

use super::prefix::Prefix;
use super::prompt::{Prompt, count, parts};
use super::stream::{Progress, Step, Task, TaskStream};
use crate::generate::Sampling;
use crate::tokenizer::Special;
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

/// How long a summary should be at most. A short text has a shorter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// About so many words; a sentence that makes it more than twice that is cut.
    Words(usize),
    /// So many sentences, or lines where the style is bullets. A headline stays one.
    Sentences(usize),
}

/// How to summarise.
#[derive(Clone, Debug, Default)]
pub struct Summarize {
    /// What the summary looks like.
    pub style: Style,
    /// How long it should be; by default what the style says.
    pub length: Option<Length>,
    /// Other sampling than the default, [`Sampling::faithful`]. Its limit of tokens counts for each sentence, where it is
    /// lower than the task's own.
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

/// A caller's sampling or the task's own, for answers of one to `most` tokens.
pub(super) fn answering(sampling: Option<&Sampling>, own: impl FnOnce() -> Sampling, most: usize) -> Sampling {
    let sampling = sampling.cloned().unwrap_or_else(own);
    // An answer of nothing is none.
    Sampling { min_tokens: 1, max_tokens: most.min(sampling.max_tokens), ..sampling }
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
    let prefix = Prefix::new(session.engine(), [plan.wording.prompt.beginning(session.engine())?], plan.parts > 1);
    Ok(TaskStream::new(session, plan, prefix, cancel))
}

/// What is left to be summarised.
#[derive(Debug)]
pub struct Plan {
    wording: Wording,
    sampling: Sampling,
    limit: usize,
    /// Points of the summary, and those of them that are begun.
    points: usize,
    point: usize,
    /// Parts of the text, however many rounds follow.
    parts: usize,
    round: usize,
    /// Parts of this round, those to come.
    todo: VecDeque<String>,
    of: usize,
    /// Summaries of this round's parts.
    done: Vec<String>,
    /// Tokens of the last part, and the points that were made of it.
    size: usize,
    made: String,
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
        let mut wording = Wording::new(options.style, options.length);
        wording.prompt = wording.prompt.fitting(engine)?;
        let points = wording.points.min(count(engine, text)?.div_ceil(POINT));
        let room = (engine.context() / 4).max(8);
        let answer = wording.tokens.min(room / points.max(1)).max(8);
        let mut sampling = answering(options.sampling.as_ref(), Sampling::faithful, answer);
        sampling.stop.extend(wording.prompt.stops(engine));
        sampling.stop.extend(wording.stops.iter().map(ToString::to_string));
        let limit = limit(engine, &wording.prompt, (answer + 4) * points.max(1))?;
        let todo: VecDeque<String> = parts(engine, text, limit)?.into();
        let of = todo.len();
        Ok(Self {
            wording,
            sampling,
            limit,
            points,
            point: 0,
            parts: of,
            round: 0,
            todo,
            of,
            done: Vec::new(),
            size: 0,
            made: String::new(),
        })
    }

    /// Whether the points are half as long as their text: all has been said, and a small model would go on with what it
    /// has from elsewhere. Summaries of parts are short already.
    fn is_enough(&self, engine: &Engine) -> Result<bool> {
        Ok(self.round == 0 && 2 * count(engine, &self.made)? >= self.size)
    }

    /// Whether what this round writes is the summary.
    fn is_last(&self) -> bool {
        self.of <= 1
    }

    /// The summaries become the text.
    fn next_round(&mut self, engine: &Engine) -> Result<()> {
        let text = std::mem::take(&mut self.done).join("\n");
        let mut next = parts(engine, &text, self.limit)?;
        if next.len() >= self.of {
            // Summaries no shorter than their texts would go round for ever.
            next.truncate(1);
        }
        (self.of, self.todo) = (next.len(), next.into());
        self.round += 1;
        Ok(())
    }
}

impl Task for Plan {
    type Output = Summary;

    fn next(&mut self, engine: &Engine) -> Result<Option<Step>> {
        if self.todo.is_empty() && !self.is_last() {
            self.next_round(engine)?;
        }
        let (first, others) = self.wording.leads;
        let (lead, ids, goes_on) = if let Some(text) = self.todo.pop_front() {
            self.point = 1;
            self.size = count(engine, &text)?;
            self.made.clear();
            (first, self.wording.prompt.encode(engine, &text)?, false)
        } else if self.is_last() && (1..self.points).contains(&self.point) && !self.is_enough(engine)? {
            self.point += 1;
            let number = format!("\n{}.", self.point);
            (others, engine.tokenizer().encode(&number, Special::Plain)?, true)
        } else {
            return Ok(None);
        };
        let mut sampling = self.sampling.clone();
        // What was said in one point is less welcome in the next.
        sampling.repetition_penalty *= if goes_on { 1.05 } else { 1.0 };
        Ok(Some(Step {
            progress: Progress { part: self.of - self.todo.len(), parts: self.of, round: self.round },
            lead: if self.is_last() { lead.into() } else { String::new() },
            ids,
            goes_on,
            sampling,
            show: self.is_last(),
        }))
    }

    fn done(&mut self, text: String) {
        self.made.push_str(&text);
        if !text.is_empty() && !self.is_last() {
            self.done.push(text);
        }
    }

    fn output(self, text: String, stats: Stats) -> Summary {
        let summary = if text.is_empty() { self.done.join("\n") } else { text };
        Summary { summary, parts: self.parts, stats }
    }
}

/// Tokens of text that deserve a point of their own.
const POINT: usize = 24;

/// How a style is asked for.
#[derive(Debug)]
struct Wording {
    prompt: Prompt,
    /// What else ends a point.
    stops: &'static [&'static str],
    /// Points of a summary.
    points: usize,
    /// What comes before the first point, and before each other.
    leads: (&'static str, &'static str),
    /// Tokens of a point.
    tokens: usize,
}

impl Wording {
    fn new(style: Style, length: Option<Length>) -> Self {
        let points = match (style, length) {
            (Style::Headline, _) | (Style::Sentence, None) => 1,
            (Style::Bullets | Style::Digest, None) => 3,
            (_, Some(Length::Sentences(n))) => n,
            (Style::Bullets, Some(Length::Words(n))) => n.div_ceil(12),
            (Style::Sentence | Style::Digest, Some(Length::Words(n))) => n.div_ceil(24),
        };
        let points = points.clamp(1, 64);
        let tokens = match (style, length) {
            (_, Some(Length::Words(n))) => (n.saturating_mul(3) / points).clamp(16, 128),
            (Style::Headline, _) => 28,
            _ => 72,
        };
        let prompt = match style {
            Style::Headline => Prompt {
                instruction: "Write a short headline for the input text.".into(),
                input: "Text",
                output: "Headline",
                opening: "Here is a short headline for the text:\n\n\"",
                examples: HEADLINES,
                ..Prompt::default()
            },
            _ => main_points(),
        };
        let stops: &[&str] = match style {
            // A model that goes on after a headline writes the article.
            Style::Headline => &["\n", "\"", ". ", ", and ", ", which ", ", but "],
            _ => &["\n"],
        };
        let leads = if style == Style::Bullets { ("- ", "\n- ") } else { ("", " ") };
        Self { prompt, stops, points, leads, tokens }
    }
}

/// For an answer that is the first line of a list of points.
pub(super) fn main_points() -> Prompt {
    Prompt {
        instruction: "List the main points of the input text, each in one short sentence.".into(),
        input: "Text",
        output: "Main points",
        opening: "Here are the main points of the text:\n\n1.",
        page_opening: "\n1.",
        examples: POINTS,
        ..Prompt::default()
    }
}

const CINEMA: &str = "The cinema on Mill Road will stay open after all. Its owners had planned to sell the building \
in June, but more than two thousand people gave money to a fund that will pay the rent for the next five years. \
Repairs to the roof begin next week, and the first film after them will be shown in September.";
const TRIAL: &str = "Researchers in Lisbon tested a cheap sensor that warns of leaking water pipes. In a trial with 400 \
homes it found nine leaks out of ten within a day. The city now wants to install it in every school.";

const POINTS: &[(&str, &str)] = &[
    (
        CINEMA,
        "\n1. The cinema on Mill Road stays open.\n2. Donations will pay its rent for five years.\n3. Films return in September.",
    ),
    (
        TRIAL,
        "\n1. A cheap sensor from Lisbon warns of leaking pipes.\n2. It found nine leaks out of ten within a day.\n3. The city wants it in every school.",
    ),
];
const HEADLINES: &[(&str, &str)] =
    &[(CINEMA, "Donations save the cinema on Mill Road"), (TRIAL, "Cheap sensor finds leaking pipes within a day")];

/// Whether a text is so short that it says no more than a summary would.
pub(super) fn is_short(engine: &Engine, text: &str) -> Result<bool> {
    Ok(text.len() < 400 && count(engine, text)? <= 24)
}
