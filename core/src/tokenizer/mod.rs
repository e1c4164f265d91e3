//! Text to token ids and back, from the vocabulary in a GGUF file.
//!
//! Two kinds: `SentencePiece` BPE (`spm`) and byte-level BPE (`bpe`, after the words of `split`). Either way a text is
//! cut three times: at special tokens, only where the caller trusts the text ([`Special::Parse`]); at user-defined
//! tokens, always, the longest first; what is between goes to the model.
//! Knows nothing of chats or of how a model uses its ids.

mod bpe;
mod decoder;
mod parts;
mod special;
mod split;
mod spm;
mod vocab;

#[cfg(test)]
mod tests;

pub use decoder::Decoder;

use crate::error::shown;
use crate::gguf::Gguf;
use crate::{Error, Result};
use bpe::Bpe;
use parts::{Parts, missing};
use special::{Matcher, Segment};
use spm::Spm;
use std::borrow::Cow;
use std::sync::Arc;
use vocab::{Kind, Vocab};

/// Texts of control tokens that end a turn in one family or another, whether or not the metadata says so.
const ENDS: [&str; 9] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<eos>",
];

/// What the texts of special tokens (`<|im_end|>`, `<eos>`) mean within a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Characters like any others: for text from users, files, the network.
    Plain,
    /// The special tokens: for text from the program itself.
    Parse,
}

/// A tokenizer. Cheap to clone.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    vocab: Vocab,
    model: Model,
    special: Matcher,
    user_defined: Matcher,
    bos: Option<u32>,
    adds_bos: bool,
    eos: Option<u32>,
    /// Sorted.
    ends: Vec<u32>,
}

enum Model {
    Spm(Box<Spm>),
    Bpe(Box<Bpe>),
}

impl Tokenizer {
    /// Reads the vocabulary of a file.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] names what is missing, contradictory or not supported; [`Error::Metadata`] a key of the
    /// wrong type.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        Self::new(&Parts::read(gguf)?)
    }

    fn new(parts: &Parts) -> Result<Self> {
        let vocab = Vocab::new(parts.tokens.iter().copied(), parts.kinds.as_deref())?;
        let named = [("bos", parts.bos), ("eos", parts.eos), ("unknown", parts.unknown)];
        let others = parts.ends.iter().map(|&id| ("end-of-turn", Some(id)));
        for (name, id) in named.into_iter().chain(others) {
            if let Some(id) = id.filter(|&id| vocab.get(id).is_err()) {
                let tokens = vocab.len();
                return Err(Error::Tokenizer(format!("the {name} token is {id}, but there are {tokens} tokens")));
            }
        }
        let (model, adds_bos) = match parts.model {
            "llama" => {
                let scores = parts.scores.clone().ok_or_else(|| missing("tokenizer.ggml.scores"))?;
                let space_prefix = parts.add_space_prefix.unwrap_or(true);
                (Model::Spm(Box::new(Spm::new(&vocab, scores, parts.unknown, space_prefix)?)), true)
            }
            "gpt2" => {
                let merges = parts.merges.as_ref().ok_or_else(|| missing("tokenizer.ggml.merges"))?;
                let pre = parts.pre.unwrap_or("default");
                (Model::Bpe(Box::new(Bpe::new(&vocab, merges.iter().copied(), pre)?)), pre == "llama-bpe")
            }
            other => {
                return Err(Error::Tokenizer(format!(
                    "model {} (tokenizer.ggml.model) is not supported; known ones: llama, gpt2",
                    shown(other)
                )));
            }
        };
        let mut ends: Vec<u32> = parts.eos.iter().chain(&parts.ends).copied().collect();
        ends.extend(ENDS.iter().filter_map(|text| vocab.find(text)).filter(|&id| is_kind(&vocab, id, Kind::Control)));
        ends.sort_unstable();
        ends.dedup();
        let special = Matcher::new(
            vocab
                .iter()
                .filter(|(_, _, kind)| kind.is_special())
                .map(|(id, text, kind)| (id, model.piece_bytes(text, kind))),
        )?;
        let user_defined = Matcher::new(
            vocab
                .iter()
                .filter(|(_, _, kind)| *kind == Kind::UserDefined)
                .map(|(id, text, kind)| (id, model.piece_bytes(text, kind))),
        )?;
        Ok(Self(Arc::new(Inner {
            adds_bos: parts.bos.is_some() && parts.add_bos.unwrap_or(adds_bos),
            bos: parts.bos,
            eos: parts.eos,
            vocab,
            model,
            special,
            user_defined,
            ends,
        })))
    }

    /// The ids of a text. No begin-of-sequence token is added: see [`adds_bos`](Self::adds_bos).
    ///
    /// # Errors
    /// [`Error::Option`] for texts of 4 GiB and more.
    pub fn encode(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        match special {
            Special::Plain => self.encode_plain(text, &mut ids)?,
            Special::Parse => self.encode_marked(text, None, &mut ids)?,
        }
        Ok(ids)
    }

    /// Parses special tokens; then takes every `mark` out of the text between them, which is encoded as plain text.
    /// A mark within the text of a special token so keeps it from being one, and leaves no trace otherwise.
    pub(crate) fn encode_marked(&self, text: &str, mark: Option<&str>, ids: &mut Vec<u32>) -> Result<()> {
        for segment in self.0.special.segments(text) {
            match (segment, mark) {
                (Segment::Token(id), _) => ids.push(id),
                (Segment::Text(text), Some(mark)) => self.encode_plain(&text.replace(mark, ""), ids)?,
                (Segment::Text(text), None) => self.encode_plain(text, ids)?,
            }
        }
        Ok(())
    }

    fn encode_plain(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        for segment in self.0.user_defined.segments(text) {
            match (segment, &self.0.model) {
                (Segment::Token(id), _) => ids.push(id),
                (Segment::Text(text), Model::Spm(spm)) => spm.encode(&self.0.vocab, text, ids)?,
                (Segment::Text(text), Model::Bpe(bpe)) => bpe.encode(text, ids)?,
            }
        }
        Ok(())
    }

    /// How many tokens there are; ids are below this.
    pub fn vocab_size(&self) -> usize {
        self.0.vocab.len()
    }

    /// The begin-of-sequence token.
    pub fn bos(&self) -> Option<u32> {
        self.0.bos
    }

    /// Whether the model wants its begin-of-sequence token in front of every sequence.
    pub fn adds_bos(&self) -> bool {
        self.0.adds_bos
    }

    /// The end-of-sequence token.
    pub fn eos(&self) -> Option<u32> {
        self.0.eos
    }

    /// Whether the model says with this token that it is done: end of sequence, of a turn, of a message.
    pub fn is_end(&self, id: u32) -> bool {
        self.0.ends.binary_search(&id).is_ok()
    }

    /// Whether this is a control token: structure, not text.
    pub fn is_control(&self, id: u32) -> bool {
        is_kind(&self.0.vocab, id, Kind::Control)
    }

    /// Whether this is nothing to read: a control token, or the place of an image or the like, which some vocabularies hold
    /// as text (`[multimodal]`, `<start_of_image>`).
    pub fn is_hidden(&self, id: u32) -> bool {
        match self.0.vocab.get(id) {
            Ok((_, Kind::Control)) => true,
            Ok((text, Kind::UserDefined)) => is_bracketed(text) && is_place(text),
            _ => false,
        }
    }

    /// Whether no text is made of this token, nor ends with it: padding, unknown, places for images, names that were left
    /// over (`<unused7>`, `[multimodal]`). Tags that a model may honestly write (`<b>`) count as well where it has tokens
    /// of their own for them.
    pub fn is_reserved(&self, id: u32) -> bool {
        let Ok((text, kind)) = self.0.vocab.get(id) else { return true };
        match kind {
            Kind::Control | Kind::Unknown => !self.is_end(id),
            Kind::UserDefined => is_bracketed(text),
            Kind::Normal | Kind::Byte => false,
        }
    }

    /// The token whose text in the vocabulary is exactly this, for instance `<|im_end|>`.
    /// Tokens of words are stored escaped (`▁the` or `Ġthe`).
    pub fn find(&self, text: &str) -> Option<u32> {
        self.0.vocab.find(text)
    }

    /// The bytes that a token stands for; not always whole characters. A control token gives its own text.
    ///
    /// # Errors
    /// [`Error::TokenId`] for an id outside the vocabulary.
    pub fn piece(&self, id: u32) -> Result<Cow<'_, [u8]>> {
        let (text, kind) = self.0.vocab.get(id)?;
        Ok(self.0.model.piece_bytes(text, kind))
    }

    /// A token's text for people: U+FFFD for what is not UTF-8, nothing for an id outside the vocabulary.
    pub fn piece_text(&self, id: u32) -> String {
        self.piece(id).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The bytes of all tokens, one after another.
    ///
    /// # Errors
    /// [`Error::TokenId`] for an id outside the vocabulary.
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for &id in ids {
            bytes.extend_from_slice(&self.piece(id)?);
        }
        Ok(bytes)
    }

    /// The same as text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// [`Error::TokenId`] for an id outside the vocabulary.
    pub fn decode_text(&self, ids: &[u32]) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.decode(ids)?).into_owned())
    }

    /// Puts `mark` within every occurrence of a special token's text, so that none is left.
    pub(crate) fn mark_specials(&self, text: &str, mark: &str) -> String {
        self.0.special.mark(text, mark)
    }
}

impl Model {
    fn piece_bytes<'a>(&self, text: &'a str, kind: Kind) -> Cow<'a, [u8]> {
        match self {
            Self::Spm(_) => spm::piece_bytes(text, kind),
            Self::Bpe(_) => bpe::piece_bytes(text, kind),
        }
    }
}

fn is_bracketed(text: &str) -> bool {
    [('<', '>'), ('[', ']')].iter().any(|&(open, close)| text.starts_with(open) && text.ends_with(close))
}

/// Whether something in brackets stands for what is no text, by the names that vocabularies use; HTML's tags are text.
fn is_place(text: &str) -> bool {
    const NAMES: [&str; 7] = ["audio", "image", "multimodal", "reserved", "unused", "video", "vision"];
    let is_tag = matches!(text, "<audio>" | "</audio>" | "<video>" | "</video>");
    !is_tag && NAMES.iter().any(|name| text.contains(name))
}

fn is_kind(vocab: &Vocab, id: u32, kind: Kind) -> bool {
    vocab.get(id).is_ok_and(|(_, found)| found == kind)
}
