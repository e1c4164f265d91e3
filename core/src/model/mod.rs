//! Which model a file holds: metadata becomes a [`Config`], a `Config` becomes a graph. Nothing else knows families.

mod config;
mod decoder;
mod families;

pub use config::{Config, RopeConfig};
pub use decoder::decoder;
pub use families::config;

use crate::gguf::Gguf;
use crate::graph::Graph;
use crate::{Error, Result};

/// A layer has at least these: two norms, four matrices of attention, three of the feed-forward block.
const LEAST_TENSORS: usize = 9;

/// What a file's model is, and the graph of it.
///
/// # Errors
/// Those of [`config`], and [`Error::Metadata`] where it claims more layers than its tensors can make: a graph takes memory
/// for each of them.
pub fn graph(gguf: &Gguf) -> Result<(Config, Graph)> {
    let config = config(gguf)?;
    let tensors = gguf.tensors().len();
    if config.layers > tensors / LEAST_TENSORS {
        return Err(Error::Metadata {
            key: format!("{}.block_count", config.architecture),
            what: format!(
                "is {}, more than the file's {tensors} tensors can make; convert or download the model again",
                config.layers
            ),
        });
    }
    let graph = decoder(&config);
    Ok((config, graph))
}
