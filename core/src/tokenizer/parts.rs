//! What a GGUF file says about its tokenizer, read but not yet believed.

use crate::gguf::Gguf;
use crate::{Error, Result};

/// The metadata under `tokenizer.ggml.`.
#[derive(Clone, Default)]
pub(super) struct Parts<'a> {
    /// `llama` (SPM) or `gpt2` (byte-level BPE).
    pub model: &'a str,
    /// The pre-tokenizer.
    pub pre: Option<&'a str>,
    pub tokens: Vec<&'a str>,
    pub kinds: Option<Vec<u32>>,
    pub scores: Option<Vec<f32>>,
    pub merges: Option<Vec<&'a str>>,
    pub add_space_prefix: Option<bool>,
    pub add_bos: Option<bool>,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub unknown: Option<u32>,
    /// Ends of a turn or message, besides `eos`.
    pub ends: Vec<u32>,
}

impl<'a> Parts<'a> {
    /// Reads the metadata; only that the types are right is checked.
    pub(super) fn read(gguf: &'a Gguf) -> Result<Self> {
        let metadata = gguf.metadata();
        let id = |name: &str| metadata.u32(&format!("tokenizer.ggml.{name}_token_id"));
        Ok(Self {
            model: metadata.str("tokenizer.ggml.model")?.ok_or_else(|| missing("tokenizer.ggml.model"))?,
            pre: metadata.str("tokenizer.ggml.pre")?,
            tokens: metadata
                .strings("tokenizer.ggml.tokens")?
                .ok_or_else(|| missing("tokenizer.ggml.tokens"))?
                .collect(),
            kinds: metadata.u32s("tokenizer.ggml.token_type")?.map(Iterator::collect),
            scores: metadata.f32s("tokenizer.ggml.scores")?.map(Iterator::collect),
            merges: metadata.strings("tokenizer.ggml.merges")?.map(Iterator::collect),
            add_space_prefix: metadata.bool("tokenizer.ggml.add_space_prefix")?,
            add_bos: metadata.bool("tokenizer.ggml.add_bos_token")?,
            bos: id("bos")?,
            eos: id("eos")?,
            unknown: id("unknown")?,
            ends: [id("eot")?, id("eom")?].into_iter().flatten().collect(),
        })
    }
}

/// The error for a key that is not there.
pub(super) fn missing(key: &str) -> Error {
    Error::Tokenizer(format!("{key} is missing; the file has no usable vocabulary"))
}
