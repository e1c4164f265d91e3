//! Short names of models, and the cache folder that `cargo xtask model` fills.

use crate::failure::Failure;
use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// Short names and the files they stand for.
const KNOWN: [(&[&str], &str); 2] = [
    (&["smollm2", "smollm2-135m"], "smollm2-135m-instruct-q4_1.gguf"),
    (&["gemma3", "gemma3-270m"], "gemma3-270m-q4_k_m.gguf"),
];

/// The file that `--model` means: itself where there is one, else a short name's or a file's in the cache folder.
pub fn resolve(model: &Path) -> Result<PathBuf, Failure> {
    if model.exists() || model.components().count() != 1 {
        return Ok(model.to_path_buf());
    }
    let name = model.to_string_lossy();
    let known = KNOWN.iter().find(|(names, _)| names.contains(&name.as_ref()));
    let file = known.map_or(name.as_ref(), |(_, file)| *file);
    let Some(folder) = folder() else { return Ok(model.to_path_buf()) };
    let path = folder.join(file);
    if path.exists() || known.is_none() {
        // An unknown name is reported as the user wrote it.
        return Ok(if path.exists() { path } else { model.to_path_buf() });
    }
    let way_out = format!("not downloaded yet; get it with `cargo xtask model {name}`");
    Err(Failure::read(&path, io::Error::new(io::ErrorKind::NotFound, way_out)))
}

/// The first model that was downloaded.
pub fn any() -> Result<PathBuf, Failure> {
    let downloaded = |file: &str| folder().map(|folder| folder.join(file)).filter(|path| path.exists());
    KNOWN.iter().find_map(|(_, file)| downloaded(file)).ok_or_else(|| {
        Failure::option(
            "--model",
            "is missing, and no model was downloaded; give one, or get one with `cargo xtask model`",
        )
    })
}

/// `KINGLET_MODELS`, else `kinglet/models` in the user's cache folder.
fn folder() -> Option<PathBuf> {
    variable("KINGLET_MODELS").or_else(|| cache().map(|cache| cache.join("models")))
}

/// Kinglet's folder in the user's cache folder.
pub fn cache() -> Option<PathBuf> {
    variable("XDG_CACHE_HOME")
        .map(|cache| cache.join("kinglet"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/kinglet")))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
