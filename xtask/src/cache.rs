//! Where downloads and build products live: outside the clone, so that every clone shares them.

use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// `$XDG_CACHE_HOME/kinglet`, or `~/.cache/kinglet`.
pub fn root() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|v| !v.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => std::env::home_dir().context("no home folder; set XDG_CACHE_HOME")?.join(".cache"),
    };
    Ok(base.join("kinglet"))
}

/// The models' folder: `KINGLET_MODELS`, or `models` in [`root`]. Created if it is not there.
pub fn models() -> Result<PathBuf> {
    let dir = match std::env::var_os("KINGLET_MODELS").filter(|v| !v.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => root()?.join("models"),
    };
    made(dir)
}

/// A folder of [`root`], created if it is not there.
pub fn folder(name: &str) -> Result<PathBuf> {
    made(root()?.join(name))
}

fn made(dir: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}
