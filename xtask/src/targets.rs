//! A cargo that can build for what this machine is not.
//!
//! A target's standard library comes from rustup. Where rustup cannot get it, it is built: Debian's `rust-src` goes
//! into a copy of the nightly toolchain of the same version.

use crate::cache;
use crate::debian::Apt;
use crate::steps::Line;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the targets' standard library comes from.
pub enum Cargo {
    /// The toolchain in use has it.
    Installed,
    /// It is built with the toolchain in this folder.
    Built(PathBuf),
}

impl Cargo {
    /// rustup's, or the means to build it. `KINGLET_CROSS=build` goes straight to the second.
    pub fn for_targets(targets: &[&str]) -> Result<Self> {
        let build = std::env::var("KINGLET_CROSS").is_ok_and(|v| v == "build");
        let listed = Line::new("rustup target list --installed").output().unwrap_or_default();
        let add = Line::new(&format!("timeout 300 rustup target add {}", targets.join(" ")));
        if !build && (targets.iter().all(|t| listed.lines().any(|l| l == *t)) || add.succeeds()) {
            return Ok(Self::Installed);
        }
        println!("no standard library of rustup's; building it with nightly and Debian's rust-src");
        toolchain_with_sources().map(Self::Built)
    }

    /// A cargo command, split at spaces. Its products live in the cache folder.
    pub fn line(&self, command: &str) -> Result<Line> {
        let products = self.products()?.display().to_string();
        // Only the kernels need optimisation; optimising what they are linked with would take minutes.
        let fast = "--config profile.dev.package.\"*\".opt-level=0 --config profile.dev.debug=false";
        let line = match self {
            Self::Installed => Line::new(&format!("cargo {fast}")),
            Self::Built(toolchain) => {
                // A toolchain that rustup does not know is used by its own programs, past rustup's.
                let program = |name: &str| toolchain.join("bin").join(name).display().to_string();
                let line = Line::new("").word(&program("cargo")).word("-Zbuild-std=std,panic_unwind,test");
                let line = fast.split(' ').fold(line, Line::word);
                line.env("RUSTC", program("rustc")).env("RUSTDOC", program("rustdoc"))
            }
        };
        Ok(command.split(' ').fold(line.env("CARGO_TARGET_DIR", products), Line::word))
    }

    /// Where [`Cargo::line`] builds.
    pub fn products(&self) -> Result<PathBuf> {
        cache::folder(match self {
            Self::Installed => "aarch64",
            Self::Built(_) => "aarch64-built-std",
        })
    }

    /// The folder of the toolchain, which holds LLD as well.
    pub fn toolchain(&self) -> Result<PathBuf> {
        match self {
            Self::Installed => Ok(Line::new("rustc --print sysroot").output()?.trim().into()),
            Self::Built(toolchain) => Ok(toolchain.clone()),
        }
    }
}

/// A copy of the nightly toolchain with the sources of its standard library.
fn toolchain_with_sources() -> Result<PathBuf> {
    let sysroot = Line::new("rustup run nightly rustc --print sysroot").output().context("no nightly toolchain")?;
    let version = Line::new("rustup run nightly rustc --version").output()?; // rustc 1.97.0-nightly (...)
    let version = version.split_whitespace().nth(1).context("rustc has no version")?;
    let toolchain = cache::folder("toolchains")?.join(version);
    if toolchain.exists() {
        return Ok(toolchain);
    }
    let part = toolchain.with_added_extension("part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part)?;
    for folder in ["bin", "lib"] {
        copy(&Path::new(sysroot.trim()).join(folder), &part)?;
    }
    let sources = part.join("lib/rustlib/src/rust");
    if !sources.join("library/std/src/lib.rs").exists() {
        unpack_debian_sources(version, &part.join("apt"), &sources)?;
    }
    fs::rename(&part, &toolchain)?;
    Ok(toolchain)
}

/// Hard links where both are on one file system, a copy elsewhere.
fn copy(from: &Path, into: &Path) -> Result<()> {
    let cp = |options: &str| Line::new(&format!("cp {options}")).path(from).path(into);
    if cp("-al").succeeds() { Ok(()) } else { cp("-a").run() }
}

/// Gets `rust-src` of Debian's newest suites.
fn unpack_debian_sources(version: &str, folder: &Path, sources: &Path) -> Result<()> {
    let apt = Apt::new(folder, "sid testing", "amd64")?;
    let found = apt.versions("rust-src")?;
    let minor = |v: &str| v.split('.').take(2).collect::<Vec<_>>().join(".");
    let fitting = found.iter().find(|v| minor(v) == minor(version));
    let fitting = fitting
        .with_context(|| format!("Debian's rust-src is {}, nightly's rustc is {version}", found.join(" or ")))?;
    let unpacked = apt.unpack(&format!("rust-src={fitting}"))?;
    let library = fs::read_dir(unpacked.join("usr/src"))?
        .filter_map(|e| Some(e.ok()?.path().join("library")))
        .find(|p| p.join("std/src/lib.rs").exists())
        .context("rust-src holds no library folder")?;
    fs::create_dir_all(sources)?;
    fs::rename(library, sources.join("library"))?;
    Ok(())
}
