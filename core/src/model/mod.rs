//! Which model a file holds: metadata becomes a [`Config`], a `Config` becomes a graph. Nothing else knows families.

mod config;
mod decoder;
mod families;

pub use config::{Config, RopeConfig};
pub use decoder::decoder;
pub use families::config;
