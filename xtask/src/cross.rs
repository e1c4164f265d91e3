//! Runs the CPU kernels' tests as aarch64 code, under qemu, for three cores: plain NEON, dotprod, and everything.
//!
//! The standard library for the target comes from rustup. Where rustup cannot get it, it is built: Debian's `rust-src`
//! goes into a copy of the nightly toolchain of the same version. Where that fails too, the step is skipped, loudly.

use crate::cache;
use crate::steps::{Counts, Line};
use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// ARMv8.0, ARMv8.2 with dotprod, and all that qemu knows (i8mm among it).
const CORES: [&str; 3] = ["cortex-a57", "cortex-a76", "max"];
/// Unit tests whose path holds this are run.
const TESTS: &str = "cpu::";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const SYSTEM_ROOT: &str = "/usr/aarch64-linux-gnu";
const APT: &str = "sudo apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static";

/// What came of it.
pub enum Outcome {
    /// All passed: the counts of all cores together.
    Ran(Counts),
    /// Not run, and why.
    Skipped(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ran(counts) => write!(f, "aarch64 ({}): {counts}", CORES.join(", ")),
            Self::Skipped(why) => write!(f, "SKIPPED, aarch64 was not tested: {why}"),
        }
    }
}

/// Where the target's standard library comes from.
enum Std {
    /// The toolchain in use has it.
    Installed,
    /// It is built with the toolchain in this folder.
    Built(PathBuf),
}

/// Builds once and runs for each core.
pub fn run() -> Result<Outcome> {
    let qemu =
        ["qemu-aarch64-static", "qemu-aarch64"].into_iter().find(|q| Line::new(&format!("{q} --version")).succeeds());
    ensure!(Line::new(&format!("{LINKER} --version")).succeeds(), "{LINKER} is missing; install it with: {APT}");
    let qemu = qemu.with_context(|| format!("qemu-aarch64-static is missing; install it with: {APT}"))?;

    let std = match standard_library() {
        Ok(std) => std,
        Err(error) => {
            let outcome = Outcome::Skipped(format!("no standard library for {TARGET}: {error:#}"));
            println!("!!! {outcome}");
            return Ok(outcome);
        }
    };
    let mut all = Counts::default();
    for core in CORES {
        println!("--- {core}");
        let counts = test_line(&std, qemu, core)?.test().with_context(|| format!("on {core}"))?;
        ensure!(counts.passed > 0, "no test has {TESTS} in its path: nothing was tested on {core}");
        all += counts;
    }
    Ok(Outcome::Ran(all))
}

fn test_line(std: &Std, qemu: &str, core: &str) -> Result<Line> {
    let variable = |part: &str| format!("CARGO_TARGET_{}_{part}", TARGET.to_uppercase().replace('-', "_"));
    // Only the kernels need optimisation; optimising what they are linked with would take minutes.
    let plain = "profile.dev.package.\"*\".opt-level=0";
    let cargo = format!("cargo test --package kinglet --lib --locked --target {TARGET} --config {plain}");
    let filter = format!("-- {TESTS}");
    let (line, products) = match std {
        Std::Installed => (Line::new(&format!("{cargo} {filter}")), "aarch64"),
        Std::Built(toolchain) => {
            // A toolchain that rustup does not know is used by its own programs, past rustup's.
            let program = |name: &str| toolchain.join("bin").join(name).display().to_string();
            let line = cargo.replacen("cargo", "", 1);
            let line = line.split_whitespace().fold(Line::new("").word(&program("cargo")), Line::word);
            let line = line.word("-Zbuild-std=std,panic_unwind,test").word("--").word(TESTS);
            (line.env("RUSTC", program("rustc")).env("RUSTDOC", program("rustdoc")), "aarch64-built-std")
        }
    };
    Ok(line
        .env("CARGO_TARGET_DIR", cache::folder(products)?.display().to_string())
        .env(&variable("LINKER"), LINKER)
        .env(&variable("RUNNER"), format!("{qemu} -cpu {core} -L {SYSTEM_ROOT}")))
}

/// rustup's, or the means to build it. `KINGLET_CROSS=build` goes straight to the second.
fn standard_library() -> Result<Std> {
    let build = std::env::var("KINGLET_CROSS").is_ok_and(|v| v == "build");
    let listed = Line::new("rustup target list --installed").output().unwrap_or_default();
    if !build
        && (listed.lines().any(|l| l == TARGET)
            || Line::new(&format!("timeout 300 rustup target add {TARGET}")).succeeds())
    {
        return Ok(Std::Installed);
    }
    println!("rustup cannot get {TARGET}; trying nightly with Debian's rust-src");
    toolchain_with_sources().map(Std::Built)
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

/// Gets `rust-src` of Debian's development suite from this machine's own mirror, without touching the system's apt.
fn unpack_debian_sources(version: &str, apt: &Path, sources: &Path) -> Result<()> {
    let targets = Line::new("apt-get indextargets --format $(REPO_URI)");
    let targets = targets.word("Created-By: Packages").word("Origin: Debian").output()?;
    let mirror = targets.lines().find(|l| !l.contains("security")).context("apt knows no Debian mirror")?;
    for folder in ["state/lists/partial", "cache/archives/partial", "sources.list.d", "preferences.d"] {
        fs::create_dir_all(apt.join(folder))?;
    }
    fs::write(apt.join("state/status"), "")?;
    fs::write(
        apt.join("sources.list.d/sid.sources"),
        format!(
            "Types: deb\nURIs: {mirror}\nSuites: sid\nComponents: main\n\
             Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        ),
    )?;
    let dir = apt.display();
    fs::write(
        apt.join("apt.conf"),
        format!(
            "Dir::State \"{dir}/state\";\nDir::State::status \"{dir}/state/status\";\nDir::Cache \"{dir}/cache\";\n\
             Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{dir}/sources.list.d\";\n\
             Dir::Etc::preferencesparts \"{dir}/preferences.d\";\nAcquire::Languages \"none\";\n\
             APT::Sandbox::User \"\";\n"
        ),
    )?;
    let apt_line = |line: &str| Line::new(line).env("APT_CONFIG", apt.join("apt.conf").display().to_string());
    apt_line("apt-get -q update").run()?;

    let found = apt_line("apt-cache show --no-all-versions rust-src").output()?;
    let found = found.lines().find_map(|l| l.strip_prefix("Version: ")).context("Debian has no rust-src")?;
    let minor = |v: &str| v.split('.').take(2).collect::<Vec<_>>().join(".");
    if minor(found) != minor(version) {
        bail!("Debian's rust-src is {found}, nightly's rustc is {version}");
    }
    apt_line("apt-get -q download rust-src").inside(apt).run()?;
    let deb = fs::read_dir(apt)?
        .filter_map(|e| Some(e.ok()?.path()))
        .find(|p| p.extension().is_some_and(|e| e == "deb"))
        .context("apt-get downloaded no rust-src")?;
    let unpacked = apt.join("unpacked");
    Line::new("dpkg-deb -x").path(&deb).path(&unpacked).run()?;
    let library = fs::read_dir(unpacked.join("usr/src"))?
        .filter_map(|e| Some(e.ok()?.path().join("library")))
        .find(|p| p.join("std/src/lib.rs").exists())
        .context("rust-src holds no library folder")?;
    fs::create_dir_all(sources)?;
    fs::rename(library, sources.join("library"))?;
    fs::remove_dir_all(apt)?;
    Ok(())
}
