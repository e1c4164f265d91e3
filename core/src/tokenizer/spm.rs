//! `SentencePiece` BPE: characters merge pairwise, the best-scored piece first; what has no piece becomes bytes.
//!
//! Follows the published algorithm (Kudo and Richardson 2018, `SentencePiece`): of all adjacent pairs whose
//! concatenation is a piece, the one with the highest score merges, the leftmost of equals.
//! The merges are found from the scores while encoding, so no table of half a million pairs is built at load.

use super::vocab::{Kind, Vocab};
use crate::error::shown;
use crate::{Error, Result};
use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How pieces write a space (U+2581).
const SPACE: &str = "▁";

/// The merging half of an SPM tokenizer.
pub(super) struct Spm {
    scores: Vec<f32>,
    /// The piece of each byte.
    bytes: Vec<Option<u32>>,
    /// What a byte without a piece becomes.
    unknown: Option<u32>,
    /// Whether a stretch of text gets a space in front.
    space_prefix: bool,
}

impl Spm {
    /// Checks scores and byte pieces against the vocabulary.
    pub(super) fn new(vocab: &Vocab, scores: Vec<f32>, unknown: Option<u32>, space_prefix: bool) -> Result<Self> {
        if scores.len() != vocab.len() {
            let (scores, tokens) = (scores.len(), vocab.len());
            return Err(Error::Tokenizer(format!("tokenizer.ggml.scores has {scores} entries for {tokens} tokens")));
        }
        if let Some(id) = scores.iter().position(|score| score.is_nan()) {
            return Err(Error::Tokenizer(format!("the score of token {id} is not a number")));
        }
        let mut bytes = vec![None; 256];
        for (id, text, kind) in vocab.iter() {
            if kind == Kind::Byte {
                let byte = byte_of(text).ok_or_else(|| {
                    Error::Tokenizer(format!("byte token {id} is {}, not <0x00> to <0xFF>", shown(text)))
                })?;
                bytes[usize::from(byte)] = Some(id);
            }
        }
        if unknown.is_none() && bytes.contains(&None) {
            return Err(Error::Tokenizer("there is neither a token for each byte nor an unknown token".into()));
        }
        Ok(Self { scores, bytes, unknown, space_prefix })
    }

    /// Appends the ids of a stretch of text.
    pub(super) fn encode(&self, vocab: &Vocab, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut escaped = String::with_capacity(text.len() + text.len() / 2);
        if self.space_prefix {
            escaped.push_str(SPACE);
        }
        for (i, word) in text.split(' ').enumerate() {
            if i > 0 {
                escaped.push_str(SPACE);
            }
            escaped.push_str(word);
        }
        if u32::try_from(escaped.len()).is_err() {
            return Err(Error::Option { name: "text".into(), what: "has 4 GiB or more; split it".into() });
        }
        for symbol in self.merge(vocab, &escaped) {
            match mergeable(vocab, symbol) {
                Some(id) => out.push(id),
                None => out.extend(symbol.bytes().filter_map(|byte| self.bytes[usize::from(byte)].or(self.unknown))),
            }
        }
        Ok(())
    }

    /// Cuts a text into symbols: pieces, and characters that have none.
    fn merge<'t>(&self, vocab: &Vocab, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .zip(0..)
            .map(|((start, c), i): (_, u32)| Symbol {
                start: start as u32,
                len: c.len_utf8() as u32,
                prev: i.checked_sub(1).unwrap_or(NONE),
                next: i + 1,
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.next = NONE;
        }
        let candidate = |symbols: &[Symbol], left: u32, right: u32| {
            if left == NONE || right == NONE {
                return None;
            }
            let (l, r) = (&symbols[left as usize], &symbols[right as usize]);
            let len = l.len + r.len;
            if len as usize > vocab.longest() {
                return None;
            }
            let id = mergeable(vocab, &text[l.start as usize..(l.start + len) as usize])?;
            // Adding zero makes the two zeros one, so that equal scores are equal in the order, too.
            Some(Candidate { score: self.scores[id as usize] + 0.0, left, right, len })
        };
        let mut heap: BinaryHeap<Candidate> =
            (1..symbols.len() as u32).filter_map(|right| candidate(&symbols, right - 1, right)).collect();
        while let Some(Candidate { left, right, len, .. }) = heap.pop() {
            let (l, r) = (symbols[left as usize], symbols[right as usize]);
            // Either side may have merged with another neighbour meanwhile.
            if l.len == 0 || r.len == 0 || l.len + r.len != len {
                continue;
            }
            symbols[left as usize] = Symbol { len, next: r.next, ..l };
            symbols[right as usize].len = 0;
            if r.next != NONE {
                symbols[r.next as usize].prev = left;
            }
            heap.extend(candidate(&symbols, l.prev, left));
            heap.extend(candidate(&symbols, left, r.next));
        }
        symbols.into_iter().filter(|s| s.len > 0).map(move |s| &text[s.start as usize..(s.start + s.len) as usize])
    }
}

/// The bytes that a piece stands for.
pub(super) fn piece_bytes(text: &str, kind: Kind) -> Cow<'_, [u8]> {
    match (kind, byte_of(text)) {
        (Kind::Byte, Some(byte)) => Cow::Owned(vec![byte]),
        (Kind::Normal | Kind::UserDefined, _) if text.contains(SPACE) => {
            Cow::Owned(text.replace(SPACE, " ").into_bytes())
        }
        _ => Cow::Borrowed(text.as_bytes()),
    }
}

/// The piece with this text, if plain text may become it.
fn mergeable(vocab: &Vocab, text: &str) -> Option<u32> {
    let id = vocab.find(text)?;
    let (_, kind) = vocab.get(id).ok()?;
    matches!(kind, Kind::Normal | Kind::UserDefined).then_some(id)
}

/// The byte that `<0x41>` names.
fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() != 2 || digits.starts_with('+') {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

/// No neighbour.
const NONE: u32 = u32::MAX;

/// A stretch of the text in a list of neighbours; empty once it has merged into its left one.
#[derive(Clone, Copy)]
struct Symbol {
    start: u32,
    len: u32,
    prev: u32,
    next: u32,
}

/// Two neighbours that make a piece.
struct Candidate {
    score: f32,
    left: u32,
    right: u32,
    /// Bytes of both when they were found.
    len: u32,
}

impl Candidate {
    fn rank(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(Reverse(self.left).cmp(&Reverse(other.left)))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank(other)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}
