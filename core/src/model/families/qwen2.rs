//! Qwen 2 and 2.5 (arXiv 2407.10671): a llama with biases on q, k and v, its columns paired by halves.

use super::keys::Keys;
use crate::Result;
use crate::model::Config;
use crate::ops::Pairing;

pub fn config(keys: &Keys) -> Result<Config> {
    Ok(Config { pairing: Pairing::Halves, qkv_bias: true, ..keys.decoder()? })
}
