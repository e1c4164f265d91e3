//! The native library for Android's ABIs: by the NDK where there is one, elsewhere linked against stubs.

use crate::android::elf;
use crate::android::stubs::Stubs;
use crate::bindings;
use crate::steps::Line;
use crate::targets::Cargo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The oldest Android, as `minSdk` in android/kinglet/build.gradle says.
const API: u32 = 26;
pub const LIBRARY: &str = "libkinglet_ffi.so";

/// A kind of machine that Android runs on, by its names.
pub struct Abi {
    /// Android's.
    pub name: &'static str,
    /// Rust's.
    pub target: &'static str,
    /// The number in an ELF header.
    pub machine: u16,
    /// Debian's.
    pub debian: &'static str,
    /// The C compiler of Debian's that makes objects for it.
    pub compiler: &'static str,
    /// Whether `cargo xtask test` builds it without an NDK.
    checked: bool,
}

/// No 32-bit ones: a model is mapped as a whole.
pub const ABIS: [Abi; 2] = [
    Abi {
        name: "arm64-v8a",
        target: "aarch64-linux-android",
        machine: goblin::elf::header::EM_AARCH64,
        debian: "arm64",
        compiler: "aarch64-linux-gnu-gcc",
        checked: true,
    },
    Abi {
        name: "x86_64",
        target: "x86_64-linux-android",
        machine: goblin::elf::header::EM_X86_64,
        debian: "amd64",
        compiler: "gcc",
        checked: false,
    },
];

/// What was built.
pub struct Libraries {
    /// For which of [`ABIS`].
    pub abis: Vec<&'static Abi>,
    /// Whether stubs stood in for Android's libraries.
    pub stub_linked: bool,
    /// Sizes, for the summary.
    pub summary: String,
}

/// What links here.
enum Linker {
    Ndk(PathBuf),
    Stubs(Cargo),
}

/// Builds into `out/ABI/`, which is emptied; or says why that cannot be done here.
pub fn build(release: bool, kotlin: &Path, out: &Path) -> Result<Result<Libraries, String>> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let linker = match linker(release) {
        Ok(linker) => linker,
        Err(why) => return Ok(Err(format!("{why:#}"))),
    };
    let stub_linked = matches!(linker, Linker::Stubs(_));
    let abis: Vec<_> = ABIS.iter().filter(|abi| release || !stub_linked || abi.checked).collect();
    let built = match &linker {
        Linker::Ndk(ndk) => by_ndk(ndk, release, &abis)?,
        Linker::Stubs(cargo) => by_stubs(cargo, release, &abis)?,
    };
    let functions = elf::functions(kotlin)?;
    let mut sizes = Vec::new();
    for (abi, library) in abis.iter().zip(&built) {
        let bytes = fs::read(library).with_context(|| format!("cannot read {}", library.display()))?;
        let facts = elf::inspect(&bytes, abi, &functions).with_context(|| library.display().to_string())?;
        ensure!(facts.by_ndk != stub_linked, "{} does not say by its note what linked it", library.display());
        sizes.push(format!("{} {:.1} MB", abi.name, bytes.len() as f64 / 1e6));
        let folder = out.join(abi.name);
        fs::create_dir_all(&folder)?;
        fs::copy(library, folder.join(LIBRARY)).with_context(|| format!("cannot write to {}", folder.display()))?;
    }
    let how = if stub_linked { "STUB-LINKED, not for shipping" } else { "linked by the NDK" };
    Ok(Ok(Libraries { abis, stub_linked, summary: format!("{} ({how})", sizes.join(", ")) }))
}

fn linker(release: bool) -> Result<Linker> {
    let targets: Vec<_> = ABIS.iter().map(|abi| abi.target).collect();
    if let Some(ndk) = ndk() {
        ensure!(
            matches!(Cargo::for_targets(&targets)?, Cargo::Installed),
            "there is an NDK, but no standard library; run: rustup target add {}",
            targets.join(" ")
        );
        return Ok(Linker::Ndk(ndk));
    }
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "no Android NDK; install one with Android Studio, or set ANDROID_NDK_HOME"
    );
    println!("no Android NDK (ANDROID_NDK_HOME, ANDROID_NDK_ROOT, ANDROID_HOME/ndk): linking against stubs");
    let targets = if release { targets } else { vec![ABIS[0].target] };
    Cargo::for_targets(&targets).map(Linker::Stubs).context("no standard library for Android")
}

/// The NDK that the environment names, or the newest of the SDK.
fn ndk() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.exists());
    if let Some(ndk) = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"].into_iter().find_map(folder) {
        return Some(ndk);
    }
    let sdks = ["ANDROID_HOME", "ANDROID_SDK_ROOT"].into_iter().filter_map(folder);
    let found = sdks.filter_map(|sdk| fs::read_dir(sdk.join("ndk")).ok()).flatten();
    newest(found.filter_map(|entry| Some(entry.ok()?.path())).collect())
}

/// The newest by the numbers that a folder is named with: 9.1 is older than 28.0.
pub fn newest(folders: Vec<PathBuf>) -> Option<PathBuf> {
    let version = |folder: &PathBuf| -> Vec<u32> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.split('.').map_while(|part| part.parse().ok()).collect()
    };
    folders.into_iter().max_by_key(version)
}

fn profile(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

/// Faults can be put into what developers try out, never into what users get.
fn features(release: bool) -> &'static str {
    if release { "--no-default-features" } else { "" }
}

fn by_ndk(ndk: &Path, release: bool, abis: &[&Abi]) -> Result<Vec<PathBuf>> {
    ensure!(
        Line::new("cargo ndk --version").succeeds(),
        "there is an NDK ({}), but no cargo-ndk; run: cargo install cargo-ndk",
        ndk.display()
    );
    let mut line = Line::new("cargo ndk");
    for abi in abis {
        line = line.word("--target").word(abi.name);
    }
    line = line
        .word("--platform")
        .word(&API.to_string())
        .words("build --package kinglet-ffi --lib --locked")
        .words(features(release))
        .word("--config");
    line = line.word(&format!("profile.{}.strip=\"symbols\"", if release { "release" } else { "dev" }));
    if release {
        line = line.word("--release");
    }
    // Where others build for this machine, stripped and unstripped would overwrite each other.
    let target = bindings::target()?.join("android/ndk");
    line = line.env("ANDROID_NDK_HOME", ndk.display().to_string());
    line = line.env("CARGO_TARGET_DIR", target.display().to_string());
    line.run().with_context(|| format!("cannot build with the NDK; the command was: {line}"))?;
    Ok(abis.iter().map(|abi| target.join(abi.target).join(profile(release)).join(LIBRARY)).collect())
}

fn by_stubs(cargo: &Cargo, release: bool, abis: &[&Abi]) -> Result<Vec<PathBuf>> {
    let mut built = Vec::new();
    for abi in abis {
        let stubs = Stubs::make(abi, &cargo.toolchain()?)?;
        let build = "rustc --package kinglet-ffi --lib --crate-type cdylib --locked --target";
        // It is linked and looked into, and run nowhere: nothing of a debug build is worth optimising.
        let line = cargo.line(&format!("--config profile.dev.opt-level=0 {build} {}", abi.target))?;
        let line = line.words(if release { "--release" } else { "" }).words(features(release)).word("--");
        let variable = format!("CARGO_TARGET_{}_LINKER", abi.target.to_uppercase().replace('-', "_"));
        let line = stubs.arguments().iter().fold(line.env(&variable, abi.compiler), |line, word| line.word(word));
        let line = line.word("-Cstrip=symbols");
        line.run().with_context(|| {
            format!(
                "cannot link for {}; an undefined symbol is one that Android {API} lacks, or is not yet in \
                 xtask/src/android/imports.txt, which says how to add it. The command was: {line}",
                abi.name
            )
        })?;
        built.push(cargo.products()?.join(abi.target).join(profile(release)).join(LIBRARY));
    }
    Ok(built)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_ndk_is_the_one_with_the_highest_numbers() {
        let folders = ["ndk/9.1.2", "ndk/28.0.13004108", "ndk/27.3.1", "ndk/side-by-side"].map(PathBuf::from);
        assert_eq!(newest(folders.to_vec()).unwrap(), PathBuf::from("ndk/28.0.13004108"));
        assert_eq!(newest(Vec::new()), None);
    }
}
