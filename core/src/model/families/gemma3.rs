//! Gemma 3, text only (arXiv 2503.19786): most layers see a sliding window, every sixth one everything.
//!
//! The files' norm weights already hold the `+ 1` of Gemma's definition.

use super::keys::Keys;
use crate::Result;
use crate::model::{Config, RopeConfig};
use crate::ops::{Activation, Pairing};

/// Layers of the 27B model, the only one whose query scale is not that of its head.
const LAYERS_27B: usize = 62;

pub fn config(keys: &Keys) -> Result<Config> {
    let shared = keys.decoder()?;
    let local_base = keys.positive("rope.freq_base_swa")?.unwrap_or(10_000.0);
    let query_dim = if shared.layers == LAYERS_27B { shared.width / shared.heads } else { shared.head_dim };
    Ok(Config {
        pairing: Pairing::Halves,
        // Local layers keep the first context's rope: its base, and no scaling.
        local_rope: RopeConfig { base: local_base, scale: 1.0, dims: shared.rope.dims },
        window: Some(keys.size("attention.sliding_window")?),
        global_every: keys.optional_size("attention.sliding_window_pattern")?.unwrap_or(6),
        activation: Activation::GeluTanh,
        qk_norm: true,
        post_norms: true,
        embed_scale: (shared.width as f32).sqrt(),
        attention_scale: 1.0 / (query_dim.max(1) as f32).sqrt(),
        attention_softcap: keys.positive("attn_logit_softcapping")?,
        logit_softcap: keys.positive("final_logit_softcapping")?,
        ..shared
    })
}
