//! The pieces of a vocabulary: their texts, their kinds, and the way from a text to its id.
//!
//! Texts are as the file stores them (`▁the`, `Ġthe`, `<0x0A>`); what bytes they stand for is the models' matter.

use crate::error::shown;
use crate::{Error, Result};
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};

/// The longest text of a piece, in bytes. Real vocabularies stay far below; the bound keeps merging linear in the text.
const LONGEST: usize = 4096;

/// What a piece is for (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by merging.
    Normal,
    /// Stands for text that has no piece.
    Unknown,
    /// Structure, such as the end of a turn: never made from plain text.
    Control,
    /// Matched in any text before merging.
    UserDefined,
    /// One byte of a character that has no piece.
    Byte,
}

impl Kind {
    /// The kind with this number in the file. "Undefined" (0) and "unused" (5) pieces merge like normal ones.
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 | 1 | 5 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            6 => Self::Byte,
            _ => return None,
        })
    }

    /// Whether plain text must never become a piece of this kind.
    pub(super) fn is_special(self) -> bool {
        matches!(self, Self::Control | Self::Unknown)
    }
}

/// All pieces, their texts end to end in one string: a few megabytes for 262,144 of them.
pub(super) struct Vocab {
    texts: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<u32>,
    kinds: Vec<Kind>,
    ids: HashTable<u32>,
    /// Seeded at random: the texts come from a file.
    hasher: RandomState,
    longest: usize,
}

impl Vocab {
    /// Takes texts and kind numbers (normal where there are none), in the order of their ids.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = &'a str>, kinds: Option<&[u32]>) -> Result<Self> {
        let mut vocab = Self {
            texts: String::new(),
            ends: Vec::new(),
            kinds: Vec::new(),
            ids: HashTable::new(),
            hasher: RandomState::new(),
            longest: 0,
        };
        for (id, text) in tokens.enumerate() {
            let kind = match kinds {
                None => Kind::Normal,
                Some(kinds) => {
                    let number = *kinds.get(id).ok_or_else(|| too_few_kinds(kinds.len()))?;
                    Kind::from_number(number)
                        .ok_or_else(|| Error::Tokenizer(format!("token {id} has the unknown type {number}")))?
                }
            };
            vocab.push(text, kind)?;
        }
        match kinds {
            _ if vocab.len() == 0 => Err(Error::Tokenizer("tokenizer.ggml.tokens is empty".into())),
            Some(kinds) if kinds.len() != vocab.len() => Err(too_few_kinds(kinds.len())),
            _ => Ok(vocab),
        }
    }

    fn push(&mut self, text: &str, kind: Kind) -> Result<()> {
        let id = self.ends.len() as u32;
        if text.len() > LONGEST {
            let len = text.len();
            return Err(Error::Tokenizer(format!("token {id} is {len} bytes long, more than {LONGEST}")));
        }
        if !text.is_empty()
            && let Some(first) = self.find(text)
        {
            return Err(Error::Tokenizer(format!("tokens {first} and {id} have the same text {}", shown(text))));
        }
        let end = u32::try_from(self.texts.len() + text.len())
            .map_err(|_| Error::Tokenizer("the texts of all tokens together exceed 4 GiB".into()))?;
        self.texts.push_str(text);
        self.ends.push(end);
        self.kinds.push(kind);
        self.longest = self.longest.max(text.len());
        if text.is_empty() {
            // Never looked up, and a million equal texts would make the table a list.
            return Ok(());
        }
        let Self { texts, ends, ids, hasher, .. } = self;
        ids.insert_unique(hasher.hash_one(text), id, |&id| hasher.hash_one(slice(texts, ends, id)));
        Ok(())
    }

    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of the longest text.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// A piece's text and kind.
    pub(super) fn get(&self, id: u32) -> Result<(&str, Kind)> {
        match self.kinds.get(id as usize) {
            Some(&kind) => Ok((slice(&self.texts, &self.ends, id), kind)),
            None => Err(Error::TokenId { id, vocab: self.len() }),
        }
    }

    /// The piece with this text.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.ids.find(hash, |&id| slice(&self.texts, &self.ends, id) == text).copied()
    }

    /// All pieces in the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, Kind)> {
        self.kinds.iter().zip(0..).map(|(&kind, id)| (id, slice(&self.texts, &self.ends, id), kind))
    }
}

/// The text of a piece that is known to exist.
fn slice<'a>(texts: &'a str, ends: &[u32], id: u32) -> &'a str {
    let begin = if id == 0 { 0 } else { ends[id as usize - 1] };
    &texts[begin as usize..ends[id as usize] as usize]
}

fn too_few_kinds(kinds: usize) -> Error {
    Error::Tokenizer(format!("tokenizer.ggml.token_type has {kinds} entries, not one for each token"))
}
