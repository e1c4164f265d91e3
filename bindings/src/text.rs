//! The text tasks, on a session that the engine keeps for them.

use crate::stream::{DigestGroup, Stats, StreamResult};
use crate::worker::Model;
use crate::{Engine, Result, Sampling, TokenStream, Work};
use kinglet::Error;
use kinglet::text::{self, Classifier, Style as SummaryStyle};
use std::sync::Arc;

/// What a summary looks like.
#[uniffi::remote(Enum)]
pub enum SummaryStyle {
    /// One sentence.
    Sentence,
    /// A few short lines, each with a dash.
    Bullets,
    /// A few words, as over an article.
    Headline,
    /// A short paragraph.
    Digest,
}

/// How long a summary should be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SummaryLength {
    /// About so many words.
    Words {
        /// At least 1.
        count: u32,
    },
    /// So many sentences, or lines where the style is bullets.
    Sentences {
        /// At least 1.
        count: u32,
    },
}

/// How to summarise.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct SummarizeOptions {
    /// What the summary looks like; one sentence by default.
    #[uniffi(default = None)]
    pub style: Option<SummaryStyle>,
    /// How long it should be; by default what the style says.
    #[uniffi(default = None)]
    pub length: Option<SummaryLength>,
    /// Other sampling than `Faithful`.
    #[uniffi(default = None)]
    pub sampling: Option<Sampling>,
}

/// How a text should sound.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Tone {
    /// Warm.
    Friendly,
    /// Polite and businesslike.
    Formal,
    /// The same in fewer words.
    Shorter,
    /// Only mistakes change.
    Proofread,
    /// In the caller's words: `more confident`, `like a pirate`.
    Custom {
        /// Not empty.
        words: String,
    },
}

/// What to extract.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExtractOptions {
    /// Whether values must stand in the text, letter by letter; off, they may be put in other words.
    #[uniffi(default = true)]
    pub verbatim: bool,
    /// The most tokens of a value.
    #[uniffi(default = 40)]
    pub max_tokens: u32,
}

/// A field, and what the text says of it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExtractedField {
    /// As asked for.
    pub name: String,
    /// None where the text does not say.
    pub value: Option<String>,
}

/// What was found in a text.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Extraction {
    /// Each field asked for, in that order.
    pub fields: Vec<ExtractedField>,
    /// Parts that the text was split into.
    pub parts: u32,
    /// What it took; cancelled, the fields found so far are there and `stats.stop` says so.
    pub stats: Stats,
}

/// A label, and how likely it is.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LabelProbability {
    /// As given.
    pub label: String,
    /// 0 to 1; those of all labels sum to 1.
    pub probability: f64,
}

/// A text's label.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Classification {
    /// The most probable label; none for an empty text.
    pub label: Option<String>,
    /// One for each label, in the order given; none for an empty text.
    pub probabilities: Vec<LabelProbability>,
    /// What it took.
    pub stats: Stats,
}

/// Suggested answers.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Suggestions {
    /// Three different ones; fewer where it was cancelled, none for an empty message.
    pub suggestions: Vec<String>,
    /// What it took.
    pub stats: Stats,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Notification {
    /// The app's name.
    pub app: String,
    /// Who or what it is from.
    pub title: String,
    /// What it says.
    pub text: String,
    /// When, in any form that sorts as text.
    #[uniffi(default)]
    pub time: String,
}

/// Text that is empty gives an empty result, and the model is not run. Text longer than the context is treated in parts.
#[uniffi::export]
impl Engine {
    /// Shortens a text.
    #[uniffi::method(default(options))]
    pub fn summarize(&self, text: String, options: SummarizeOptions) -> Result<Arc<TokenStream>> {
        let stream = self.worker.stream(move |model, events| {
            let options = text::Summarize {
                style: options.style.unwrap_or_default(),
                length: options.length.map(length).transpose()?,
                sampling: options.sampling.map(Into::into),
            };
            model.task(|session| {
                let found = events.task(text::summarize(session, &text, &options, events.cancel())?)?;
                Ok(result(found.summary, found.parts, &found.stats))
            })
        })?;
        Ok(TokenStream::new(stream, self.worker.clone()))
    }

    /// Says the same in another tone, or without mistakes.
    #[uniffi::method(default(sampling = None))]
    pub fn rewrite(&self, text: String, tone: Tone, sampling: Option<Sampling>) -> Result<Arc<TokenStream>> {
        let tone = match tone {
            Tone::Friendly => text::Tone::Friendly,
            Tone::Formal => text::Tone::Formal,
            Tone::Shorter => text::Tone::Shorter,
            Tone::Proofread => text::Tone::Proofread,
            Tone::Custom { words } => words.parse()?,
        };
        let options = text::Rewrite { tone, sampling: sampling.map(Into::into) };
        let stream = self.worker.stream(move |model, events| {
            model.task(|session| {
                let found = events.task(text::rewrite(session, &text, &options, events.cancel())?)?;
                Ok(result(found.text, found.parts, &found.stats))
            })
        })?;
        Ok(TokenStream::new(stream, self.worker.clone()))
    }

    /// One sentence for each app that had something to say.
    #[uniffi::method(default(sampling = None))]
    pub fn digest(&self, notifications: Vec<Notification>, sampling: Option<Sampling>) -> Result<Arc<TokenStream>> {
        let sampling = sampling.map(kinglet::Sampling::from);
        let list: Vec<_> = notifications
            .into_iter()
            .map(|n| text::Notification { app: n.app, title: n.title, text: n.text, time: n.time })
            .collect();
        let stream = self.worker.stream(move |model, events| {
            model.task(|session| {
                let found = events.task(text::digest(session, &list, sampling.as_ref(), events.cancel())?)?;
                let group = |group: text::Group| DigestGroup {
                    app: group.app,
                    count: group.count as u32,
                    summary: group.summary,
                };
                let groups = found.groups.into_iter().map(group).collect();
                Ok(StreamResult { groups, ..result(found.summary, 1, &found.stats) })
            })
        })?;
        Ok(TokenStream::new(stream, self.worker.clone()))
    }

    /// Finds named fields in a text.
    #[uniffi::method(default(work = None, options))]
    pub async fn extract(
        &self,
        text: String,
        fields: Vec<String>,
        options: ExtractOptions,
        work: Option<Arc<Work>>,
    ) -> Result<Extraction> {
        let options = text::Extract { fields, verbatim: options.verbatim, max_tokens: options.max_tokens as usize };
        let answer = self.worker.ask(&Work::of(work), move |model, work| {
            let found = model.task(|session| Ok(text::extract(session, &text, &options, work.token())?))?;
            let fields = found.fields.0.into_iter().map(|(name, value)| ExtractedField { name, value });
            Ok(Extraction { fields: fields.collect(), parts: found.parts as u32, stats: (&found.stats).into() })
        })?;
        answer.get().await
    }

    /// Chooses one of the labels for a text. `calibrate` subtracts what the model would say of no text in particular.
    #[uniffi::method(default(calibrate = true, work = None))]
    pub async fn classify(
        &self,
        text: String,
        labels: Vec<String>,
        calibrate: bool,
        work: Option<Arc<Work>>,
    ) -> Result<Classification> {
        let answer = self.worker.ask(&Work::of(work), move |model, work| {
            let known = model.labels.take().filter(|(old, was, _)| *old == labels && *was == calibrate);
            let mut known = known.map(|(_, _, classifier)| classifier);
            let found = model.task(|session| {
                let options = text::Classify { labels: labels.clone(), calibrate };
                let classifier = match known.take() {
                    Some(classifier) => known.insert(classifier),
                    None => known.insert(Classifier::new(session, &options)?),
                };
                Ok(classifier.classify(session, &text, work.token())?)
            })?;
            model.labels = known.map(|classifier| (labels, calibrate, classifier));
            let probabilities = found.probabilities.0.into_iter();
            Ok(Classification {
                label: found.label,
                probabilities: probabilities
                    .map(|(label, probability)| LabelProbability { label, probability })
                    .collect(),
                stats: (&found.stats).into(),
            })
        })?;
        answer.get().await
    }

    /// Suggests three short answers to a message.
    #[uniffi::method(default(sampling = None, work = None))]
    pub async fn reply(
        &self,
        message: String,
        sampling: Option<Sampling>,
        work: Option<Arc<Work>>,
    ) -> Result<Suggestions> {
        let options = text::ReplyOptions { sampling: sampling.map(Into::into) };
        let answer = self.worker.ask(&Work::of(work), move |model, work| {
            let found = model.task(|session| Ok(text::reply(session, &message, &options, work.token())?))?;
            Ok(Suggestions { suggestions: found.suggestions, stats: (&found.stats).into() })
        })?;
        answer.get().await
    }
}

impl Model {
    /// Runs a task on the session for tasks. After an error it begins with a new one.
    fn task<T>(&mut self, task: impl FnOnce(&mut kinglet::Session) -> Result<T>) -> Result<T> {
        let mut session = match self.tasks.take() {
            Some(session) => session,
            None => self.engine.session()?,
        };
        let result = task(&mut session)?;
        self.tasks = Some(session);
        Ok(result)
    }
}

fn length(length: SummaryLength) -> Result<text::Length> {
    let (SummaryLength::Words { count } | SummaryLength::Sentences { count }) = length;
    if count == 0 {
        return Err(Error::Option { name: "length".into(), what: "is 0; give at least 1".into() }.into());
    }
    Ok(match length {
        SummaryLength::Words { count } => text::Length::Words(count as usize),
        SummaryLength::Sentences { count } => text::Length::Sentences(count as usize),
    })
}

fn result(text: String, parts: usize, stats: &kinglet::Stats) -> StreamResult {
    StreamResult { text, parts: parts as u32, groups: Vec::new(), stats: stats.into() }
}
