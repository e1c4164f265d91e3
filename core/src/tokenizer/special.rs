//! Finds tokens that are matched whole: special ones in trusted text, user-defined ones in any.

use crate::{Error, Result};
use aho_corasick::{AhoCorasick, Input, MatchKind};
use std::borrow::Cow;

/// Bytes of all texts of a set: an automaton takes many times as much. Real sets stay below 100 kB.
const MOST_BYTES: usize = 1 << 20;

/// A set of tokens, matched leftmost first, and the longest of those that begin there.
pub(super) struct Matcher {
    /// None where the set is empty.
    automaton: Option<AhoCorasick>,
    /// The token of each pattern.
    ids: Vec<u32>,
}

/// A stretch of a text.
pub(super) enum Segment<'t> {
    /// Between the tokens of the set; not empty.
    Text(&'t str),
    /// One of them.
    Token(u32),
}

impl Matcher {
    /// Takes ids and their texts; empty texts match nothing.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (u32, Cow<'a, [u8]>)>) -> Result<Self> {
        let (ids, patterns): (Vec<u32>, Vec<_>) = tokens.filter(|(_, text)| !text.is_empty()).unzip();
        if ids.is_empty() {
            return Ok(Self { automaton: None, ids });
        }
        let bytes: usize = patterns.iter().map(|text| text.len()).sum();
        if bytes > MOST_BYTES {
            let what = format!("control and user-defined tokens have {bytes} bytes of text, more than {MOST_BYTES}");
            return Err(Error::Tokenizer(what));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .map_err(|error| Error::Tokenizer(format!("special tokens: {error}")))?;
        Ok(Self { automaton: Some(automaton), ids })
    }

    /// Cuts a text at the tokens of the set.
    pub(super) fn segments<'t>(&self, text: &'t str) -> Vec<Segment<'t>> {
        let mut segments = Vec::new();
        let mut at = 0;
        for found in self.automaton.iter().flat_map(|automaton| automaton.find_iter(text)) {
            segments.extend(text.get(at..found.start()).filter(|text| !text.is_empty()).map(Segment::Text));
            segments.extend(self.ids.get(found.pattern().as_usize()).map(|&id| Segment::Token(id)));
            at = found.end();
        }
        segments.extend(text.get(at..).filter(|text| !text.is_empty()).map(Segment::Text));
        segments
    }

    /// Puts `mark` after the first character of every occurrence, overlapping ones, too.
    pub(super) fn mark(&self, text: &str, mark: &str) -> String {
        let mut marked = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = self.automaton.as_ref().and_then(|a| a.find(Input::new(text).range(at..))) {
            let first = text.get(found.start()..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            let next = found.start() + first;
            marked.push_str(text.get(at..next).unwrap_or_default());
            marked.push_str(mark);
            at = next;
        }
        marked.push_str(text.get(at..).unwrap_or_default());
        marked
    }
}
