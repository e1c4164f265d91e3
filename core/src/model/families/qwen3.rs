//! Qwen 3 (arXiv 2505.09388): norms on the heads of q and k take the place of Qwen 2's biases.

use super::keys::Keys;
use crate::Result;
use crate::model::Config;
use crate::ops::Pairing;

pub fn config(keys: &Keys) -> Result<Config> {
    Ok(Config { pairing: Pairing::Halves, qk_norm: true, ..keys.decoder()? })
}
