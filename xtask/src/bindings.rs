//! Kotlin, Swift and Python for kinglet-ffi: builds the library, lets uniffi's generator read it, runs the Python tests.

use crate::steps::{Counts, Line};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 3] = ["kotlin", "swift", "python"];
/// The oldest Python whose asyncio the generated module needs.
const PYTHON: &str = "import sys; sys.exit(sys.version_info < (3, 9))";
const TESTS: &str = "bindings/tests/python/test_kinglet.py";

/// Builds, and generates into `out`, or `target/bindings`; returns that folder.
pub fn run(out: Option<PathBuf>, release: bool) -> Result<PathBuf> {
    build()?;
    if release {
        Line::new("cargo build --quiet --locked --release --package kinglet-ffi").run()?;
    }
    generate(out, if release { "release" } else { "debug" })
}

/// Generates, and runs the Python tests: all, or those that need no downloaded model.
pub fn test(quick: bool) -> Result<Counts> {
    ensure!(
        Line::new("python3").word("-c").word(PYTHON).succeeds(),
        "the generated Python is tested with python3, 3.9 or newer, which is missing; install it (Debian, Ubuntu: \
         apt-get install python3)"
    );
    build()?;
    let python = generate(None, "debug")?.join("python");
    let line = Line::new("python3 -B -X dev").path(Path::new(TESTS));
    let line = if quick { line.word("Tiny") } else { line };
    let counts = line.env("PYTHONPATH", python.display().to_string()).test()?;
    ensure!(counts.passed > 0, "no Python tests were run");
    Ok(counts)
}

/// The generator, which is never worth optimising, and the library. A test is built with them, since it makes cargo choose
/// the features of dependencies as for tests: without it all of them, and the core, would be compiled a second time.
fn build() -> Result<()> {
    Line::new("cargo build --quiet --locked --workspace --lib --bins --test hostile").run()
}

/// Reads what was built for a profile and writes each language into its folder.
fn generate(out: Option<PathBuf>, profile: &str) -> Result<PathBuf> {
    let target = target()?;
    let out = out.unwrap_or_else(|| target.join("bindings"));
    let name = format!("{DLL_PREFIX}kinglet_ffi{DLL_SUFFIX}");
    let library = target.join(profile).join(&name);
    let bindgen = target.join("debug").join(format!("uniffi-bindgen{EXE_SUFFIX}"));
    for language in LANGUAGES {
        let folder = out.join(language);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Formatters are a matter of whoever reads it.
        let line = Line::new("").word(&bindgen.display().to_string()).word("generate").path(&library);
        line.word("--language").word(language).word("--no-format").word("--out-dir").path(&folder).run()?;
    }
    // Python looks for the library beside the module.
    let copy = out.join("python").join(&name);
    fs::copy(&library, &copy).with_context(|| format!("cannot copy {} to {}", library.display(), copy.display()))?;
    Ok(out)
}

/// Where cargo builds.
pub fn target() -> Result<PathBuf> {
    let metadata = Line::new("cargo metadata --no-deps --locked --format-version 1").output()?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata printed no JSON")?;
    metadata.get("target_directory").and_then(Value::as_str).map(PathBuf::from).context("no target_directory")
}
