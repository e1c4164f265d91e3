//! Where test models lie, and how they are opened.

use kinglet::gguf::Gguf;
use kinglet::graph::Graph;
use kinglet::model::{config, decoder};
use kinglet::weights::Weights;
use std::path::{Path, PathBuf};

/// A file under `core/tests/data`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A real model in the cache; a test without its model fails and says what to do.
pub fn cached(model: &str, file: &str) -> PathBuf {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = var("KINGLET_MODELS")
        .or_else(|| Some(var("XDG_CACHE_HOME")?.join("kinglet/models")))
        .or_else(|| Some(var("HOME")?.join(".cache/kinglet/models")))
        .expect("KINGLET_MODELS, XDG_CACHE_HOME or HOME must be set");
    let path = folder.join(file);
    assert!(path.exists(), "{} is missing; get it with: cargo xtask model {model}", path.display());
    path
}

/// `SmolLM2` 135M Instruct.
pub fn smollm2() -> PathBuf {
    cached("smollm2-135m", "smollm2-135m-instruct-q4_1.gguf")
}

/// Gemma 3 270M.
pub fn gemma3() -> PathBuf {
    cached("gemma3-270m", "gemma3-270m-q4_k_m.gguf")
}

/// The graph and the weights of a file.
pub fn open(path: &Path) -> (Graph, Weights) {
    let gguf = Gguf::open(path).unwrap();
    let graph = decoder(&config(&gguf).unwrap());
    let weights = Weights::find(&gguf, &graph).unwrap();
    (graph, weights)
}
