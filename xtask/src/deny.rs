//! Licences, sources, banned crates and versions of the dependencies, by cargo-deny and `deny.toml`.
//!
//! The tool is built once into the cache folder, unoptimised: it runs for a second, and building it is what takes time.

use crate::cache;
use crate::steps::Line;
use anyhow::{Context, Result};

const VERSION: &str = "0.20.2";

/// Checks; returns what was checked.
pub fn run() -> Result<String> {
    let root = cache::folder(&format!("tools/cargo-deny-{VERSION}"))?;
    let tool = root.join("bin/cargo-deny");
    if !tool.exists() {
        println!("building cargo-deny {VERSION}, once (1 to 3 minutes)");
        Line::new(&format!("cargo install --quiet --locked --no-default-features cargo-deny@={VERSION} --root"))
            .path(&root)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64")
            .env("CARGO_TARGET_DIR", root.join("target").display().to_string())
            .run()
            .context("cannot build cargo-deny")?;
        std::fs::remove_dir_all(root.join("target"))?;
    }
    let options = "--log-level error --locked --workspace check --hide-inclusion-graph bans licenses sources";
    options.split(' ').fold(Line::new("").path(&tool), Line::word).run()?;
    Ok("licences, sources, bans, duplicates; advisories are off (see deny.toml)".into())
}
