//! Byte-level BPE: words of bytes, each written as a printable character, merge in the order of a list.
//!
//! Merging is the `tokenizers` crate's; this file feeds it and maps bytes (Radford et al. 2019, GPT-2).

use super::split::Splitter;
use super::vocab::{Kind, Vocab};
use crate::error::shown;
use crate::{Error, Result};
use std::borrow::Cow;
use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Merges};

/// The merging half of a byte-level BPE tokenizer.
pub(super) struct Bpe {
    splitter: Splitter,
    model: BPE,
}

impl Bpe {
    /// Checks merges (`left right`, best first) against the vocabulary.
    ///
    /// A merge that takes or makes a control piece is left out, so that plain text can never become one.
    pub(super) fn new<'a>(vocab: &Vocab, merges: impl Iterator<Item = &'a str> + Clone, pre: &str) -> Result<Self> {
        // All are checked before any is kept: kept, they take several times their bytes in the file.
        for (rank, merge) in merges.clone().enumerate() {
            check(vocab, rank, merge)?;
        }
        let splitter = Splitter::new(pre)?;
        let mut pairs = Merges::new();
        let mut joined = String::new();
        let plain =
            |text: &str| vocab.find(text).and_then(|id| vocab.get(id).ok()).is_some_and(|(_, k)| !k.is_special());
        for (left, right) in merges.filter_map(halves) {
            joined.clear();
            joined.extend([left, right]);
            if [left, right, &joined].into_iter().all(plain) {
                pairs.push((left.to_owned(), right.to_owned()));
            }
        }
        let texts = vocab.iter().filter(|(_, _, kind)| !kind.is_special()).map(|(id, text, _)| (text.to_owned(), id));
        let model = BPE::builder()
            .vocab_and_merges(texts.collect::<tokenizers::models::bpe::Vocab>(), pairs)
            // Llama 3's vocabulary holds whole words that its merges cannot make.
            .ignore_merges(pre == "llama-bpe")
            .build()
            .map_err(|error| Error::Tokenizer(error.to_string()))?;
        Ok(Self { splitter, model })
    }

    /// Appends the ids of a stretch of text. A byte without a piece (some vocabularies lack those that hardly any text
    /// holds) is left out, as elsewhere.
    pub(super) fn encode(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut mapped = String::new();
        self.splitter.split(text, &mut |word| {
            mapped.clear();
            mapped.extend(word.bytes().map(|byte| CHARS[usize::from(byte)]));
            let tokens = self.model.tokenize(&mapped).map_err(|error| Error::Tokenizer(error.to_string()))?;
            out.extend(tokens.iter().map(|token| token.id));
            Ok(())
        })
    }
}

/// The two pieces of a merge; the left one may itself begin with a space.
fn halves(merge: &str) -> Option<(&str, &str)> {
    let cut = merge.bytes().skip(1).position(|b| b == b' ')? + 1;
    let (left, right) = (merge.get(..cut)?, merge.get(cut + 1..)?);
    (!right.is_empty()).then_some((left, right))
}

/// Whether a merge is two pieces of the vocabulary that make a third.
fn check(vocab: &Vocab, rank: usize, merge: &str) -> Result<()> {
    let Some((left, right)) = halves(merge) else {
        let merge = shown(merge);
        return Err(Error::Tokenizer(format!("merge {rank} is {merge}, not two pieces with a space between")));
    };
    for text in [left, right, &[left, right].concat()] {
        if vocab.find(text).is_none() {
            let (merge, text) = (shown(merge), shown(text));
            return Err(Error::Tokenizer(format!(
                "merge {rank} ({merge}) needs {text}, which is not in the vocabulary"
            )));
        }
    }
    Ok(())
}

/// The bytes that a piece stands for.
pub(super) fn piece_bytes(text: &str, kind: Kind) -> Cow<'_, [u8]> {
    if kind.is_special() || kind == Kind::UserDefined {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The character of each byte: itself where it is printable, else the next one from U+0100 on.
const CHARS: [char; 256] = {
    let mut chars = ['\0'; 256];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 256 {
        let code = if is_printable(byte) {
            byte
        } else {
            next += 1;
            next - 1
        };
        chars[byte as usize] = match char::from_u32(code) {
            Some(c) => c,
            None => '\0',
        };
        byte += 1;
    }
    chars
};

const fn is_printable(byte: u32) -> bool {
    matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff)
}

/// The byte that a character stands for.
fn byte_of(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0..=0xff => is_printable(code).then_some(code as u8),
        // The 68 bytes that are not printable, in order.
        code @ 0x100..0x144 => CHARS.iter().position(|&other| u32::from(other) == code).map(|byte| byte as u8),
        _ => None,
    }
}
