//! One of the labels, always, with a probability for each.

use super::labels::{log_softmax, score};
use super::meter::Meter;
use super::prefix::{Prefix, branch};
use super::prompt::{Prompt, parts, takes_instructions};
use super::summarize::limit;
use super::{Ordered, check_names};
use crate::tokenizer::Special;
use crate::{Cancel, Error, Result, Session, Stats};
use serde::Serialize;
use std::time::Instant;

/// Tokens of a label; longer ones are refused.
const LONGEST: usize = 64;

/// How to classify.
#[derive(Clone, Debug)]
pub struct Classify {
    /// What the answer may be: words or short phrases that say what they mean.
    pub labels: Vec<String>,
    /// Subtracts what the model would say of no text in particular ("N/A"), from the log-probabilities: small models
    /// favour some labels whatever the text (contextual calibration, arXiv 2102.09690). Costs one more short
    /// prompt for a set of labels. Default on.
    pub calibrate: bool,
}

impl Classify {
    /// These labels, calibrated.
    pub fn new<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Self {
        Self { labels: labels.into_iter().map(Into::into).collect(), calibrate: true }
    }
}

/// A text's label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classification {
    /// The most probable label, the first of them on a tie; `None` for an empty text.
    pub label: Option<String>,
    /// A probability for each label, in the order given; they sum to 1. Empty for an empty text.
    pub probabilities: Ordered<f64>,
    /// What it took.
    pub stats: Stats,
}

/// Labels one text. For several, a [`Classifier`] calibrates only once.
///
/// # Errors
/// [`Error::Option`] for no labels, one that is empty, or two that are equal; [`Error::Cancelled`].
pub fn classify(session: &mut Session, text: &str, options: &Classify, cancel: &Cancel) -> Result<Classification> {
    Classifier::new(session, options)?.classify(session, text, cancel)
}

/// A set of labels, ready for many texts.
pub struct Classifier {
    labels: Vec<String>,
    ids: Vec<Vec<u32>>,
    prompt: Prompt,
    prefix: Prefix,
    limit: usize,
    calibrate: bool,
    /// Log-probabilities of the labels for no text in particular, once they were needed.
    prior: Option<Vec<f64>>,
}

impl Classifier {
    /// Checks the labels. The model is not run yet.
    ///
    /// # Errors
    /// [`Error::Option`] for no labels, one that is empty, or two that are equal, or a context too small.
    pub fn new(session: &Session, options: &Classify) -> Result<Self> {
        let labels = options.labels.clone();
        check_names("labels", &labels)?;
        let engine = session.engine();
        // On a page the answer follows a colon.
        let space = if takes_instructions(engine) { "" } else { " " };
        let mut ids = Vec::with_capacity(labels.len());
        for label in &labels {
            let label_ids = engine.tokenizer().encode(&format!("{space}{}", label.trim()), Special::Plain)?;
            if label_ids.is_empty() || label_ids.len() > LONGEST {
                let what = format!("{label:?} is {} tokens long; give 1 to {LONGEST}", label_ids.len());
                return Err(Error::Option { name: "labels".into(), what });
            }
            ids.push(label_ids);
        }
        let prompt = Prompt {
            instruction: format!(
                "Classify the text into one of these categories: {}. Reply with the category only.",
                labels.join(", ")
            ),
            input: "Text",
            output: "Category",
            ..Prompt::default()
        };
        let longest = ids.iter().map(Vec::len).max().unwrap_or(0);
        let limit = limit(engine, &prompt, longest)?;
        let prefix = Prefix::new(engine, [prompt.beginning(engine)?], true);
        Ok(Self { labels, ids, prompt, prefix, limit, calibrate: options.calibrate, prior: None })
    }

    /// Labels a text. Of one longer than the context only the beginning counts.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and those of the device.
    pub fn classify(&mut self, session: &mut Session, text: &str, cancel: &Cancel) -> Result<Classification> {
        let mut meter = Meter::new(session.engine());
        let Some(part) = parts(session.engine(), text, self.limit)?.into_iter().next() else {
            return Ok(Classification { label: None, probabilities: Ordered(Vec::new()), stats: meter.stats() });
        };
        if self.calibrate && self.prior.is_none() {
            self.prior = Some(self.scores(session, "N/A", &mut meter, cancel)?);
        }
        let mut scores = self.scores(session, &part, &mut meter, cancel)?;
        if let Some(prior) = &self.prior {
            scores.iter_mut().zip(prior).for_each(|(score, prior)| *score -= prior);
        }
        let probabilities: Vec<f64> = log_softmax(&scores).into_iter().map(f64::exp).collect();
        let best = (0..probabilities.len()).rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        meter.first();
        Ok(Classification {
            label: best.and_then(|best| self.labels.get(best)).cloned(),
            probabilities: Ordered(self.labels.iter().cloned().zip(probabilities).collect()),
            stats: meter.stats(),
        })
    }

    /// Log-probabilities of the labels for a text.
    fn scores(&mut self, session: &mut Session, text: &str, meter: &mut Meter, cancel: &Cancel) -> Result<Vec<f64>> {
        let began = Instant::now();
        let prompt = self.prompt.encode(session.engine(), text)?;
        let (held, cached) = self.prefix.enter(session, &prompt, cancel)?;
        session.feed(&prompt[held..], cancel)?;
        session.audit(cancel)?;
        meter.prompt(prompt.len(), cached, began.elapsed());
        let first = session.logits().to_vec();
        score(&self.ids, &mut |ids| {
            if ids.is_empty() {
                return Ok(first.clone());
            }
            let began = Instant::now();
            let logits = branch(session, ids.len(), |session| {
                session.feed(ids, cancel)?;
                Ok(session.logits().to_vec())
            })?;
            meter.prompt(prompt.len() + ids.len(), prompt.len(), began.elapsed());
            Ok(logits)
        })
    }
}
