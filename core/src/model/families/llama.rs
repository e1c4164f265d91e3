//! Llama (arXiv 2302.13971) and the many that share its shape: `SmolLM2`, `TinyLlama`, Mistral, Llama 3.

use super::keys::Keys;
use crate::Result;
use crate::model::Config;
use crate::ops::Pairing;

/// Constants of models that borrow the name `llama` but compute something else (Granite, mixtures of experts).
const FOREIGN: [&str; 5] = ["expert_count", "attention.scale", "embedding_scale", "residual_scale", "logit_scale"];

pub fn config(keys: &Keys) -> Result<Config> {
    for key in FOREIGN {
        if keys.is_set(key)? {
            return Err(keys.refused(key, "changes what a llama computes, which is not supported"));
        }
    }
    Ok(Config {
        // Converters permute the rows of q and k so that a pair's columns are neighbours.
        pairing: Pairing::Adjacent,
        // Llama 3's scaling comes as a tensor, not as metadata.
        rope_factors: keys.gguf.tensor("rope_freqs.weight").is_some(),
        ..keys.decoder()?
    })
}
