//! Three short answers to a message.

use super::meter::Meter;
use super::prefix::Prefix;
use super::prompt::{Prompt, parts};
use super::summarize::{answering, limit};
use crate::generate::{Sampling, StopReason};
use crate::{Cancel, Result, Session, Stats};
use serde::Serialize;
use std::time::Instant;

/// How many suggestions there are.
const SUGGESTIONS: usize = 3;
/// Generations that are tried before a stock answer has to do.
const TRIES: usize = 8;
/// Words of a suggestion: it stands on a button.
const WORDS: usize = 14;
/// For when the model says the same again and again, or nothing.
const STOCK: [&str; 3 * SUGGESTIONS - 1] = [
    "Thanks!",
    "Sounds good.",
    "I'll get back to you soon.",
    "Got it.",
    "Sorry, I can't.",
    "Can you tell me more?",
    "Yes.",
    "No.",
];

/// How to suggest.
#[derive(Clone, Debug, Default)]
pub struct ReplyOptions {
    /// Other sampling than the default, [`Sampling::varied`]. Each suggestion has its own seed, from this one
    /// on. Its limit of tokens counts where it is lower than
    /// the task's own.
    pub sampling: Option<Sampling>,
}

/// Suggested answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply {
    /// Three different answers, or none for an empty message. Cancelled, those that were complete.
    pub suggestions: Vec<String>,
    /// What it took.
    pub stats: Stats,
}

/// Suggests three short answers to a message; of one longer than the context, to its end.
///
/// The message is computed once; each suggestion is a generation of its own from there.
///
/// # Errors
/// [`Error::Option`](crate::Error::Option) where the context is too small.
pub fn reply(session: &mut Session, message: &str, options: &ReplyOptions, cancel: &Cancel) -> Result<Reply> {
    let engine = session.engine().clone();
    let prompt = Prompt {
        instruction: "Write a short, friendly reply to the message, in a few words.".into(),
        input: "Message",
        output: "Reply",
        examples: EXAMPLES,
        shown: true,
        ..Prompt::default()
    };
    let prompt = prompt.fitting(&engine)?;
    let most = 32.min(engine.context() / 4).max(4);
    let mut sampling = answering(options.sampling.as_ref(), Sampling::varied, most);
    sampling.stop.push("\n\n".into());
    sampling.stop.extend(prompt.stops(&engine));
    let mut meter = Meter::new(&engine);
    let limit = limit(&engine, &prompt, sampling.max_tokens)?;
    let Some(text) = parts(&engine, message, limit)?.pop() else {
        return Ok(Reply { suggestions: Vec::new(), stats: meter.stats() });
    };
    let ids = prompt.encode(&engine, &text)?;
    // Every suggestion goes back to the message's end, beyond what a sliding window may allow.
    let mut prefix = Prefix::new(&engine, [ids[..ids.len() - 1].to_vec()], true);
    let mut suggestions = Vec::new();
    for _ in 0..TRIES {
        if suggestions.len() == SUGGESTIONS || cancel.is_cancelled() {
            break;
        }
        let began = Instant::now();
        let (held, cached) = match prefix.enter(session, &ids, cancel) {
            Err(crate::Error::Cancelled) => break,
            other => other?,
        };
        meter.prompt(ids.len(), cached, began.elapsed());
        let mut generation = session.generate(&ids[held..], &sampling, cancel)?.text_only();
        let text = generation.text()?;
        meter.first();
        meter.generation(&generation.stats(), ids.len() - held);
        sampling.seed = sampling.seed.wrapping_add(1);
        if generation.stop() != Some(StopReason::Cancelled) {
            add(&mut suggestions, &text);
        }
    }
    if cancel.is_cancelled() {
        meter.stop = Some(StopReason::Cancelled);
        return Ok(Reply { suggestions, stats: meter.stats() });
    }
    for stock in STOCK {
        if suggestions.len() < SUGGESTIONS {
            add(&mut suggestions, stock);
        }
    }
    Ok(Reply { suggestions, stats: meter.stats() })
}

/// Adds what a generation suggests, if it is something new.
fn add(suggestions: &mut Vec<String>, text: &str) {
    let Some(text) = tidy(text) else { return };
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    if !suggestions.iter().any(|other| letters(other) == letters(&text)) {
        suggestions.push(text);
    }
}

/// The first line without number, name or quotes, up to the sentence that would make it too long.
fn tidy(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric))?;
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['.', ')', '-', '*', ' ']);
    let line = ["Reply:", "reply:", "Answer:"].iter().find_map(|name| line.strip_prefix(name)).unwrap_or(line).trim();
    let line = line.trim_matches(['"', '\u{201c}', '\u{201d}']).trim();
    let mut kept = String::new();
    for sentence in unicode_segmentation::UnicodeSegmentation::split_sentence_bounds(line) {
        let words = (kept.split_whitespace().count(), sentence.split_whitespace().count());
        if !kept.is_empty() && words.0 + words.1 > WORDS {
            break;
        }
        kept.push_str(sentence);
    }
    let mut short: Vec<&str> = kept.split_whitespace().collect();
    let cut = short.len() > 2 * WORDS;
    short.truncate(2 * WORDS);
    let short = short.join(" ") + if cut { " …" } else { "" };
    short.chars().any(char::is_alphanumeric).then_some(short)
}

const EXAMPLES: &[(&str, &str)] = &[
    ("Are you coming to the game on Saturday?", "Yes, I'll be there!"),
    ("I left the keys with the neighbour.", "Great, thank you!"),
    ("Could you send me the report today?", "Sure, I'll send it this afternoon."),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn suggestions_are_tidied() {
        for (text, want) in [
            ("\n 1. \"Sure, see you then!\"\n2. No", Some("Sure, see you then!")),
            ("Reply: Yes.", Some("Yes.")),
            ("...", None),
            ("", None),
            ("Ok. One two three four five six seven eight nine ten eleven twelve thirteen fourteen.", Some("Ok.")),
        ] {
            assert_eq!(tidy(text).as_deref(), want, "{text}");
        }
        assert!(tidy(&"word ".repeat(500)).unwrap().split(' ').count() <= 2 * WORDS + 1);
    }

    #[test]
    fn suggestions_differ_and_stock_answers_suffice() {
        let mut list = Vec::new();
        for text in ["Yes!", "yes", "\"YES.\"", ""] {
            add(&mut list, text);
        }
        assert_eq!(list, ["Yes!"]);
        for text in STOCK {
            add(&mut list, text);
        }
        assert_eq!(list.len(), STOCK.len());
    }
}
