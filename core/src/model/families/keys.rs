//! Reads a family's metadata keys: what all decoders share, each value checked as it is read.

use crate::error::shown;
use crate::gguf::Gguf;
use crate::model::{Config, RopeConfig};
use crate::ops::{Activation, Pairing};
use crate::{Error, Result};

/// No head count, vocabulary or context is larger; products of two still fit 64 bits with ease.
const MAX_SIZE: usize = 1 << 24;
/// No model is wider. A chunk has this many floats a token in memory, so the file must not choose it freely.
const MAX_WIDTH: usize = 1 << 17;

/// No decoder has more layers; a larger number is damage, not a model.
const MAX_LAYERS: usize = 1024;

/// The metadata of one file, seen with its architecture's prefix.
pub struct Keys<'a> {
    pub gguf: &'a Gguf,
    pub architecture: &'static str,
}

impl Keys<'_> {
    /// Everything that is a plain size or number, with the variations of the plainest decoder: a llama.
    pub fn decoder(&self) -> Result<Config> {
        let layers = self.size("block_count")?;
        if layers > MAX_LAYERS {
            return Err(self.wrong("block_count", format!("is {layers}, but no model has more than {MAX_LAYERS}")));
        }
        let width = self.width("embedding_length")?;
        let heads = self.size("attention.head_count")?;
        let kv_heads = self.optional_size("attention.head_count_kv")?.unwrap_or(heads);
        if !heads.is_multiple_of(kv_heads) {
            return Err(self.wrong("attention.head_count_kv", format!("is {kv_heads}, which does not divide {heads}")));
        }
        let head_dim = self.head_dim(width, heads)?;
        if let Some(false) = self.gguf.metadata().bool(&self.full("attention.causal"))? {
            return Err(self.refused("attention.causal", "is false: this is an encoder, not a text generator"));
        }
        let rope = self.rope(head_dim)?;
        Ok(Config {
            architecture: self.architecture,
            layers,
            width,
            heads,
            kv_heads,
            head_dim,
            ffn: self.width("feed_forward_length")?,
            vocab: self.vocab()?,
            context: self.size("context_length")?,
            norm_eps: self.norm_eps()?,
            rope,
            local_rope: rope,
            pairing: Pairing::Adjacent,
            rope_factors: false,
            window: None,
            global_every: 1,
            activation: Activation::Silu,
            qkv_bias: false,
            qk_norm: false,
            post_norms: false,
            embed_scale: 1.0,
            attention_scale: 1.0 / (head_dim as f32).sqrt(),
            attention_softcap: None,
            logit_softcap: None,
            tied_output: self.gguf.tensor("output.weight").is_none(),
        })
    }

    /// A size that must be there.
    pub fn size(&self, key: &str) -> Result<usize> {
        self.optional_size(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// A size of the activations, from 1 to [`MAX_WIDTH`].
    fn width(&self, key: &str) -> Result<usize> {
        match self.size(key)? {
            width if width > MAX_WIDTH => Err(self.wrong(key, format!("is {width}, expected 1 to {MAX_WIDTH}"))),
            width => Ok(width),
        }
    }

    /// A size, from 1 to [`MAX_SIZE`].
    pub fn optional_size(&self, key: &str) -> Result<Option<usize>> {
        match self.gguf.metadata().u64(&self.full(key))? {
            None => Ok(None),
            Some(n) if n >= 1 && n <= MAX_SIZE as u64 => Ok(Some(n as usize)),
            Some(n) => Err(self.wrong(key, format!("is {n}, expected 1 to {MAX_SIZE}"))),
        }
    }

    /// A finite number above zero, not so small that it has no finite reciprocal.
    pub fn positive(&self, key: &str) -> Result<Option<f32>> {
        match self.gguf.metadata().f32(&self.full(key))? {
            Some(x) if !(x.is_normal() && x > 0.0) => {
                Err(self.wrong(key, format!("is {x}, expected a finite number above 0")))
            }
            x => Ok(x),
        }
    }

    /// Whether the file has the key, whatever it holds.
    pub fn is_set(&self, key: &str) -> Result<bool> {
        Ok(self.gguf.metadata().get(&self.full(key))?.is_some())
    }

    /// The error for a key whose meaning is known but not supported.
    pub fn refused(&self, key: &str, what: impl Into<String>) -> Error {
        let what = format!("{}; use another model", what.into());
        Error::Metadata { key: self.full(key), what }
    }

    /// The error for a key that no valid file of the family has.
    fn wrong(&self, key: &str, what: impl Into<String>) -> Error {
        let what = format!("{}; the file is damaged, convert or download the model again", what.into());
        Error::Metadata { key: self.full(key), what }
    }

    fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    /// Floats in a head; the same for queries, keys and values.
    fn head_dim(&self, width: usize, heads: usize) -> Result<usize> {
        let head_dim = match self.optional_size("attention.key_length")? {
            Some(head_dim) => head_dim,
            None if width.is_multiple_of(heads) => width / heads,
            None => {
                return Err(self.wrong("attention.head_count", format!("is {heads}, which does not divide {width}")));
            }
        };
        let value_length = self.optional_size("attention.value_length")?.unwrap_or(head_dim);
        if value_length != head_dim {
            let what = format!("is {value_length}, but keys have {head_dim}: heads of two sizes are not supported");
            return Err(self.refused("attention.value_length", what));
        }
        if heads.saturating_mul(head_dim) > MAX_WIDTH {
            let what = format!("is {heads}, with heads of {head_dim} more than {MAX_WIDTH} columns");
            return Err(self.wrong("attention.head_count", what));
        }
        Ok(head_dim)
    }

    /// Rope of layers that see everything. GGUF's scaling defaults to linear, by no factor.
    fn rope(&self, head_dim: usize) -> Result<RopeConfig> {
        let dims = self.optional_size("rope.dimension_count")?.unwrap_or(head_dim);
        if !dims.is_multiple_of(2) || dims > head_dim {
            let what = format!("is {dims}, expected an even number up to the head's {head_dim}");
            return Err(self.wrong("rope.dimension_count", what));
        }
        let factor = match self.gguf.metadata().str(&self.full("rope.scaling.type"))?.unwrap_or("linear") {
            "none" => None,
            "linear" => match self.positive("rope.scaling.factor")? {
                None => self.positive("rope.scale_linear")?,
                factor => factor,
            },
            other => {
                let what = format!("is {}, which is not supported; known: none, linear", shown(other));
                return Err(self.refused("rope.scaling.type", what));
            }
        };
        let base = self.positive("rope.freq_base")?.unwrap_or(10_000.0);
        Ok(RopeConfig { base, dims, scale: 1.0 / factor.unwrap_or(1.0) })
    }

    /// Tokens in the vocabulary: the tokenizer's list decides, and the embedding must have a row for each.
    fn vocab(&self) -> Result<usize> {
        let tokens = "tokenizer.ggml.tokens";
        let (key, vocab) = match self.gguf.metadata().strings(tokens)? {
            Some(list) => (tokens.into(), list.len()),
            None => (self.full("vocab_size"), self.size("vocab_size")?),
        };
        let name = "token_embd.weight";
        let table = self.gguf.tensor(name).ok_or_else(|| Error::MissingTensor { name: name.into() })?;
        let rows = table.shape.get(1).copied().unwrap_or(1);
        if vocab != rows || vocab > MAX_SIZE {
            let what = format!("has {vocab} tokens, but {name} has {rows} rows; convert or download the model again");
            return Err(Error::Metadata { key, what });
        }
        Ok(vocab)
    }

    fn norm_eps(&self) -> Result<f32> {
        let key = "attention.layer_norm_rms_epsilon";
        self.positive(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }
}
