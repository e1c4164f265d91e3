//! Streaming: token ids in, whole UTF-8 characters out.

use super::Tokenizer;
use crate::Result;

/// Turns ids into text one by one. Bytes of a character that is not complete yet are held back; bytes that can never
/// become one appear as U+FFFD, exactly as in [`String::from_utf8_lossy`] of all bytes together.
pub struct Decoder {
    tokenizer: Tokenizer,
    hide_control: bool,
    pending: Vec<u8>,
}

impl Decoder {
    /// A decoder at the beginning of a text that shows all tokens.
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self { tokenizer: tokenizer.clone(), hide_control: false, pending: Vec::new() }
    }

    /// The same, but what is nothing to read gives no text: control tokens, places of images.
    #[must_use]
    pub fn hiding_control(mut self) -> Self {
        self.hide_control = true;
        self
    }

    /// The text that has become complete with this token; empty where none has.
    ///
    /// # Errors
    /// [`Error::TokenId`](crate::Error::TokenId) for an id outside the vocabulary.
    pub fn push(&mut self, id: u32) -> Result<String> {
        let piece = self.tokenizer.piece(id)?;
        if !(self.hide_control && self.tokenizer.is_hidden(id)) {
            self.pending.extend_from_slice(&piece);
        }
        let mut text = String::new();
        let mut rest = self.pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    let Some(bad) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &rest[bad..];
                }
            }
        }
        let done = self.pending.len() - rest.len();
        self.pending.drain(..done);
        Ok(text)
    }

    /// What is still held back, as U+FFFD; afterwards the decoder is at the beginning of a text again.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }
}
