//! Text to token ids and back.

use crate::Result;
use crate::gguf::Gguf;
use std::borrow::Cow;
use std::sync::Arc;

/// What to do with special tokens in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// They are plain text.
    Plain,
    /// They become their ids.
    Parse,
}

/// A vocabulary. Cheap to clone.
#[derive(Clone)]
pub struct Tokenizer(Arc<()>);

#[allow(missing_docs, unused_variables, clippy::unused_self)]
impl Tokenizer {
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        todo!()
    }
    pub fn encode(&self, text: &str, special: Special) -> Result<Vec<u32>> {
        todo!()
    }
    pub fn vocab_size(&self) -> usize {
        todo!()
    }
    pub fn bos(&self) -> Option<u32> {
        todo!()
    }
    pub fn adds_bos(&self) -> bool {
        todo!()
    }
    pub fn eos(&self) -> Option<u32> {
        todo!()
    }
    pub fn is_end(&self, id: u32) -> bool {
        todo!()
    }
    pub fn is_control(&self, id: u32) -> bool {
        todo!()
    }
    pub fn find(&self, text: &str) -> Option<u32> {
        todo!()
    }
    pub fn piece(&self, id: u32) -> Result<Cow<'_, [u8]>> {
        todo!()
    }
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>> {
        todo!()
    }
    pub fn decode_text(&self, ids: &[u32]) -> Result<String> {
        todo!()
    }
}

/// Ids in, whole characters out.
pub struct Decoder(Tokenizer);

#[allow(missing_docs, unused_variables, clippy::unused_self)]
impl Decoder {
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self(tokenizer.clone())
    }
    #[must_use]
    pub fn hiding_control(self) -> Self {
        self
    }
    pub fn push(&mut self, id: u32) -> Result<String> {
        todo!()
    }
    pub fn finish(&mut self) -> String {
        todo!()
    }
}
