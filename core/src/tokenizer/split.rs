//! Pre-tokenizers: the regular expressions that cut a text into words before byte-level BPE merges within each.
//!
//! The published patterns end in `\s+(?!\S)|\s+`: a run of spaces leaves its last one to the word after it. Engines
//! with lookahead backtrack, and fail or crawl on a megabyte of spaces; so the patterns here end in `\s+`, matched in
//! linear time, and the last space is given back afterwards.

use crate::error::shown;
use crate::{Error, Result};
use regex::Regex;
use std::sync::{Mutex, PoisonError};

/// The names in `tokenizer.ggml.pre` that are known.
pub(super) const KNOWN: &str = "smollm, qwen2, llama-bpe, gpt-2, default";

/// GPT-2's words (Radford et al. 2019): contractions, letters, digits, other signs, each with one space before.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";
/// Llama 3's words: any case of contractions, at most three digits, line ends apart from spaces.
const LLAMA3: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";
/// Qwen 2's words: as Llama 3's, but each digit alone.
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+";

/// One pass over a text.
struct Stage {
    regex: Regex,
    gives_back: GivesBack,
}

/// Which runs of white space leave their last character to the word after them.
#[derive(Clone, Copy, PartialEq)]
enum GivesBack {
    /// None: the pattern does not match white space on purpose.
    Nothing,
    /// All.
    Spaces,
    /// Those that do not end a line: an alternative of their own matches those that do.
    SpacesWithinLine,
}

/// Cuts texts into words.
pub(super) struct Splitter(Vec<Stage>);

impl Splitter {
    /// The pre-tokenizer of that name (`tokenizer.ggml.pre`).
    pub(super) fn new(name: &str) -> Result<Self> {
        let stages: &[(&'static str, GivesBack)] = match name {
            "gpt-2" => &[(GPT2, GivesBack::Spaces)],
            "smollm" => &[(r"\p{N}", GivesBack::Nothing), (GPT2, GivesBack::Spaces)],
            "llama-bpe" => &[(LLAMA3, GivesBack::SpacesWithinLine)],
            "qwen2" => &[(QWEN2, GivesBack::SpacesWithinLine)],
            "default" => &[
                (r"[\p{P}\$\+<=>\^~\|]+", GivesBack::Nothing),
                (GPT2, GivesBack::Spaces),
                (r"\p{N}+", GivesBack::Nothing),
                ("[0-9][0-9][0-9]", GivesBack::Nothing),
            ],
            _ => {
                return Err(Error::Tokenizer(format!(
                    "pre-tokenizer {} (tokenizer.ggml.pre) is not supported; known ones: {KNOWN}",
                    shown(name)
                )));
            }
        };
        let stage = |&(pattern, gives_back)| Ok(Stage { regex: compile(pattern)?, gives_back });
        Ok(Self(stages.iter().map(stage).collect::<Result<_>>()?))
    }

    /// Hands each word to `emit`, in order; the words together are the text.
    pub(super) fn split<'t>(&self, text: &'t str, emit: &mut dyn FnMut(&'t str) -> Result<()>) -> Result<()> {
        run(&self.0, text, emit)
    }
}

/// One of the patterns above. Compiling it takes longer than anything else in a tokenizer that is small, so all models
/// of a process share it.
fn compile(pattern: &'static str) -> Result<Regex> {
    static COMPILED: Mutex<Vec<(&str, Regex)>> = Mutex::new(Vec::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, regex)) = compiled.iter().find(|(known, _)| *known == pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(pattern).map_err(|error| Error::Tokenizer(format!("pattern {pattern}: {error}")))?;
    compiled.push((pattern, regex.clone()));
    Ok(regex)
}

/// Each stage cuts the pieces of the one before; what a stage does not match stays one piece.
fn run<'t>(stages: &[Stage], text: &'t str, emit: &mut dyn FnMut(&'t str) -> Result<()>) -> Result<()> {
    let Some((stage, rest)) = stages.split_first() else {
        return emit(text);
    };
    let mut at = 0;
    while let Some(found) = stage.regex.find_at(text, at) {
        if found.start() > at {
            run(rest, &text[at..found.start()], emit)?;
        }
        let end = found.end() - stage.given_back(found.as_str(), &text[found.end()..]);
        run(rest, &text[found.start()..end], emit)?;
        at = end;
    }
    if at < text.len() {
        run(rest, &text[at..], emit)?;
    }
    Ok(())
}

impl Stage {
    /// How many bytes at the end of a match belong to the next word.
    fn given_back(&self, found: &str, after: &str) -> usize {
        let Some(last) = found.chars().next_back() else {
            return 0;
        };
        let ends_line = matches!(last, '\r' | '\n');
        let ruled_out = match self.gives_back {
            GivesBack::Nothing => true,
            GivesBack::Spaces => false,
            GivesBack::SpacesWithinLine => ends_line,
        };
        // A run of one stays: something must be matched.
        if ruled_out || after.is_empty() || found.len() == last.len_utf8() || !found.chars().all(char::is_whitespace) {
            return 0;
        }
        last.len_utf8()
    }
}
