//! The families: metadata to [`Config`], one file each, explicit.
//!
//! Which variations a family has is written down in its file, never guessed from which tensors exist. The two
//! exceptions are GGUF's own conventions: a file without `output.weight` reuses the embedding as its head, and a
//! llama file with `rope_freqs.weight` divides its rope frequencies by it.

mod gemma3;
mod keys;
mod llama;
mod qwen2;
mod qwen3;

use super::Config;
use crate::gguf::Gguf;
use crate::{Error, Result};
use keys::Keys;

/// A name in `general.architecture` and what its metadata means.
type Family = (&'static str, fn(&Keys) -> Result<Config>);

/// Characters of a name that is not known, for a message.
const LONGEST_NAME: usize = 80;

const FAMILIES: [Family; 4] =
    [("gemma3", gemma3::config), ("llama", llama::config), ("qwen2", qwen2::config), ("qwen3", qwen3::config)];

/// The configuration of the model in a file.
///
/// Every size in it is checked: not zero, small enough that no product of two overflows, and consistent with the others.
/// Whether the tensors have these sizes is checked when the weights are found.
///
/// # Errors
/// [`Error::UnsupportedArchitecture`] lists the known ones; [`Error::Metadata`] names the key that is missing or wrong.
pub fn config(gguf: &Gguf) -> Result<Config> {
    let key = "general.architecture";
    let name = gguf.metadata().str(key)?.ok_or_else(|| Error::Metadata {
        key: key.into(),
        what: "is missing, so the model's family is unknown; convert the model again".into(),
    })?;
    let Some((architecture, family)) = FAMILIES.iter().find(|(known, _)| *known == name) else {
        let known = FAMILIES.map(|(name, _)| name).join(", ");
        return Err(Error::UnsupportedArchitecture { name: name.chars().take(LONGEST_NAME).collect(), known });
    };
    family(&Keys { gguf, architecture })
}
