//! Every way in which two decoder families differ, by name.

use crate::ops::{Activation, Pairing};

/// A decoder's shape and variations.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `general.architecture`.
    pub architecture: &'static str,
    /// Decoder layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key/value heads; divides `heads`.
    pub kv_heads: usize,
    /// Floats in a head.
    pub head_dim: usize,
    /// Width inside the feed-forward block.
    pub ffn: usize,
    /// Tokens in the vocabulary.
    pub vocab: usize,
    /// Positions that the model was trained for.
    pub context: usize,
    /// Epsilon of every norm.
    pub norm_eps: f32,
    /// Rope of layers that see everything.
    pub rope: RopeConfig,
    /// Rope of sliding-window layers.
    pub local_rope: RopeConfig,
    /// Which columns rope pairs.
    pub pairing: Pairing,
    /// Llama 3's `rope_freqs.weight` is there.
    pub rope_factors: bool,
    /// Window of the local layers.
    pub window: Option<usize>,
    /// Every n-th layer sees everything, the others their window.
    pub global_every: usize,
    /// The feed-forward gate's function.
    pub activation: Activation,
    /// Biases on q, k and v.
    pub qkv_bias: bool,
    /// Norms on the heads of q and k.
    pub qk_norm: bool,
    /// Norms after attention and after feed-forward (Gemma).
    pub post_norms: bool,
    /// Factor of the embedding.
    pub embed_scale: f32,
    /// Factor of the attention scores.
    pub attention_scale: f32,
    /// Cap of the attention scores.
    pub attention_softcap: Option<f32>,
    /// Cap of the logits.
    pub logit_softcap: Option<f32>,
    /// The head is the embedding.
    pub tied_output: bool,
}

/// One kind of layer's rope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RopeConfig {
    /// Base of the angles.
    pub base: f32,
    /// Columns of a head that turn.
    pub dims: usize,
    /// Factor of the positions.
    pub scale: f32,
}

impl Config {
    /// Whether a layer sees everything (0-based).
    pub fn is_global(&self, layer: usize) -> bool {
        self.window.is_none() || (layer + 1).is_multiple_of(self.global_every)
    }
}
