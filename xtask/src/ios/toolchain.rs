//! Swift 6: the one on `PATH`, or on Linux Debian's, unpacked into the cache folder and laid over `/usr` for one command
//! at a time, so that the system stays as it is.

use crate::debian::Apt;
use crate::steps::Line;
use crate::{cache, model};
use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use std::fs;
use std::path::{Path, PathBuf};

/// The oldest that the package is written for.
const OLDEST: (u32, u32) = (6, 0);
const SUITE: &str = "trixie";
const VERSION: &str = "6.0.3-2";
/// The packages of the compiler, with their SHA-256.
const COMPILER: [(&str, &str); 2] = [
    ("swiftlang", "be005017c07f0932564c48761f7f69d2f4e942d514e106932913ca8cf594c4a1"),
    ("libswiftlang", "8279334aaf16e6b62b8d124d6d5d94cb2a92666986cec491bf4ad03a0a9ae3e4"),
];
/// What the compiler runs on where this machine's is older. Debian replaces these by fixed ones, so that only its
/// signature is asked for.
const SYSTEM: [&str; 4] = ["libc6", "libc6-dev", "libstdc++6", "libgcc-s1"];
/// The glibc of [`SUITE`].
const GLIBC: (u32, u32) = (2, 41);
/// The debugger, editors' servers and static libraries: a third of it, and used by nothing here.
const UNUSED: [&str; 7] = [
    "bin/lldb-server",
    "bin/clangd",
    "bin/sourcekit-lsp",
    "lib/liblldb.so.17.0.0",
    "lib/libsourcekitdInProc.so",
    "lib/swift_static",
    "share/man",
];
/// Lays a folder, its first argument, over `/usr` and runs the others.
const OVERLAY: &str =
    "mount -t overlay overlay -o lowerdir=\"$0\":/usr /usr && PATH=/usr/libexec/swift/bin:$PATH exec \"$@\"";

/// A Swift that was tried.
pub struct Swift {
    /// What runs its programs; nothing where they are on `PATH`.
    runner: Option<PathBuf>,
    /// As in 6.0.3.
    pub version: String,
}

impl Swift {
    /// The one to use, or why there is none.
    pub fn find() -> Result<Result<Self, String>> {
        let installed = Line::new("swift --version");
        if let Some(version) = installed.succeeds().then(|| installed.output()).transpose()?.as_deref().and_then(number)
            && pair(version).is_some_and(|found| found >= OLDEST)
        {
            return Ok(Ok(Self { runner: None, version: version.to_owned() }));
        }
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Ok(Err("no Swift 6.0 or newer on PATH; on a Mac install Xcode 16 or newer".into()));
        }
        let folder = cache::folder("swift")?;
        let Some(namespaces) = namespaces(&folder)? else {
            return Ok(Err("no Swift 6.0 or newer on PATH, and Debian's is laid over /usr, which needs root or user \
                           namespaces with overlay mounts, and a container's leave for them"
                .into()));
        };
        let root = folder.join(VERSION);
        if !is_whole(&root) {
            if let Err(why) = Apt::mirror() {
                return Ok(Err(format!("no Swift 6.0 or newer on PATH, and Debian's cannot be had: {why:#}")));
            }
            download(&root)?;
        }
        let runner = folder.join("run");
        write_runner(&runner, namespaces, &root.join("usr"))?;
        let version = Line::new("").path(&runner).words("swift --version").output().context(
            "Debian's Swift does not run; xtask/setup.sh installs the libraries that it takes from this machine",
        )?;
        let version = number(&version).with_context(|| format!("Swift names no version: {version}"))?.to_owned();
        Ok(Ok(Self { runner: Some(runner), version }))
    }

    /// A command line of its programs, split at spaces.
    pub fn line(&self, command: &str) -> Line {
        self.line_after("", command)
    }

    /// A command line of its programs that another program runs; both split at spaces.
    pub fn line_after(&self, by: &str, command: &str) -> Line {
        self.runner.iter().fold(Line::new(by), |line, runner| line.path(runner)).words(command)
    }
}

/// The number after "Swift version".
fn number(text: &str) -> Option<&str> {
    let rest = text.split_once("Swift version ")?.1;
    rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().filter(|number| !number.is_empty())
}

/// The first two numbers of a version.
fn pair(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next().flatten().unwrap_or(0)))
}

/// What `unshare` is told here, where it lets a folder be laid over `/usr` at all.
fn namespaces(folder: &Path) -> Result<Option<&'static str>> {
    let empty = folder.join("empty");
    fs::create_dir_all(&empty)?;
    let tried = |options: &&str| {
        Line::new("unshare").words(options).words("sh -c").word(OVERLAY).path(&empty).word("true").succeeds()
    };
    Ok(["-m", "-r -m"].into_iter().find(tried))
}

/// A program that runs its arguments, for developers as well.
fn write_runner(runner: &Path, namespaces: &str, usr: &Path) -> Result<()> {
    let text = format!("#!/bin/sh\nexec unshare {namespaces} sh -c '{OVERLAY}' '{}' \"$@\"\n", usr.display());
    if fs::read_to_string(runner).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(runner, text).with_context(|| format!("cannot write {}", runner.display()))?;
    Line::new("chmod +x").path(runner).run()
}

/// What was unpacked is still there; says so where it no longer is.
fn is_whole(root: &Path) -> bool {
    let Ok(unpacked) = fs::read_to_string(stamp(root)) else { return false };
    let whole = listing(root).is_ok_and(|now| now == unpacked);
    if !whole {
        println!("{} is damaged; unpacking Swift anew", root.display());
    }
    whole
}

fn stamp(root: &Path) -> PathBuf {
    root.with_added_extension("files")
}

fn download(root: &Path) -> Result<()> {
    println!("getting Swift {VERSION} of Debian {SUITE}, once: 470 MB");
    let part = root.with_added_extension("part");
    for old in [root, &part] {
        let _ = fs::remove_dir_all(old);
    }
    let apt = Apt::new(&root.with_added_extension("apt"), SUITE, "amd64")?;
    let older = pair(Line::new("getconf GNU_LIBC_VERSION").output()?.trim().trim_start_matches("glibc "))
        .is_none_or(|found| found < GLIBC);
    for package in SYSTEM.iter().filter(|_| older) {
        unpack(&apt.download(package)?, &part)?;
    }
    for (package, sha256) in COMPILER {
        let deb = apt.download(&format!("{package}={VERSION}"))?;
        let found = model::hash_file(&deb, &ProgressBar::hidden())?;
        ensure!(found == sha256, "{package} {VERSION} has the SHA-256 {found}, not {sha256}; nothing of it is used");
        unpack(&deb, &part)?;
    }
    let swift = part.join("usr/libexec/swift");
    for unused in UNUSED.map(|path| swift.join(path)) {
        let removed = if unused.is_dir() { fs::remove_dir_all(&unused) } else { fs::remove_file(&unused) };
        removed.with_context(|| format!("Swift's packages lack {}", unused.display()))?;
    }
    fs::rename(&part, root)?;
    fs::write(stamp(root), listing(root)?).context("cannot write down what was unpacked")
}

fn unpack(deb: &Path, folder: &Path) -> Result<()> {
    Line::new("dpkg-deb -x").path(deb).path(folder).run()
}

/// Every file with its size: what a lost, cut or foreign file changes, without reading gigabytes.
fn listing(root: &Path) -> Result<String> {
    let (mut folders, mut lines) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            // A link's is its own.
            let meta = entry.metadata()?;
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                lines.push(format!("{} {}\n", entry.path().strip_prefix(root)?.display(), meta.len()));
            }
        }
    }
    lines.sort_unstable();
    Ok(lines.concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_each_swift_prints_them() {
        let apple = "swift-driver version: 1.115 Apple Swift version 6.1.2 (swiftlang-6.1.2.1.2 clang-1700.0.13.5)";
        assert_eq!(number(apple), Some("6.1.2"));
        assert_eq!(number("Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-pc-linux-gnu"), Some("6.0.3"));
        // Another program of this name.
        assert_eq!(number("python-swiftclient 4.1.0"), None);
        assert_eq!(number("Swift version (none)"), None);
        assert!(pair("5.10.1").unwrap() < OLDEST && pair("6.0.3").unwrap() >= OLDEST && pair("10").unwrap() >= OLDEST);
        assert!(pair("2.36").unwrap() < GLIBC && pair("2.41").unwrap() >= GLIBC);
        assert_eq!(pair("six"), None);
    }

    #[test]
    fn a_listing_changes_with_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/swift"), "1234").unwrap();
        fs::write(root.join("a"), "1").unwrap();
        assert_eq!(listing(root).unwrap(), "a 1\nusr/bin/swift 4\n");
        fs::write(root.join("usr/bin/swift"), "12").unwrap();
        assert_eq!(listing(root).unwrap(), "a 1\nusr/bin/swift 2\n");
        fs::remove_file(root.join("a")).unwrap();
        assert_eq!(listing(root).unwrap(), "usr/bin/swift 2\n");
        assert!(listing(&root.join("nowhere")).is_err());
    }

    #[test]
    fn what_is_missing_or_damaged_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(VERSION);
        assert!(!is_whole(&root));
        fs::create_dir(&root).unwrap();
        fs::write(root.join("swift"), "1234").unwrap();
        // Without a stamp, unpacking may have been broken off.
        assert!(!is_whole(&root));
        fs::write(stamp(&root), listing(&root).unwrap()).unwrap();
        assert!(is_whole(&root));
        fs::write(root.join("swift"), "123").unwrap();
        assert!(!is_whole(&root));
        fs::remove_dir_all(&root).unwrap();
        assert!(!is_whole(&root));
    }
}
