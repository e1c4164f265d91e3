//! The `XCFramework`: the static library for phones, simulators and Macs with its header, which Xcode's tools put
//! together. Only a Mac has them.

use crate::ios::privacy;
use crate::steps::Line;
use crate::targets::Cargo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Where Package.swift looks for it.
pub const FRAMEWORK: &str = "ios/Kinglet.xcframework";
const LIBRARY: &str = "libkinglet_ffi.a";

/// What one library in it is for.
struct Slice {
    name: &'static str,
    /// Rust's names of the machines; their libraries become one.
    targets: &'static [&'static str],
}

const SLICES: [Slice; 3] = [
    Slice { name: "ios", targets: &["aarch64-apple-ios"] },
    Slice { name: "ios-simulator", targets: &["aarch64-apple-ios-sim", "x86_64-apple-ios"] },
    Slice { name: "macos", targets: &["aarch64-apple-darwin", "x86_64-apple-darwin"] },
];
/// The oldest systems, as ios/Package.swift says.
const OLDEST: [(&str, &str); 2] = [("IPHONEOS_DEPLOYMENT_TARGET", "16.0"), ("MACOSX_DEPLOYMENT_TARGET", "13.0")];

/// Builds it and returns a summary, or why it cannot be built here. `generated` holds the header and the module map.
pub fn build(generated: &Path, target: &Path, manifest: &str) -> Result<Result<String, String>> {
    if !cfg!(target_os = "macos") {
        return Ok(Err("an XCFramework is built on a Mac with Xcode and nowhere else".into()));
    }
    if !Line::new("xcodebuild -version").succeeds() {
        return Ok(Err("an XCFramework is built with Xcode; install it, then run: xcode-select --switch".into()));
    }
    let targets: Vec<_> = SLICES.iter().flat_map(|slice| slice.targets).copied().collect();
    ensure!(
        matches!(Cargo::for_targets(&targets)?, Cargo::Installed),
        "there is no standard library for iOS; run: rustup target add {}",
        targets.join(" ")
    );
    let folder = target.join("ios");
    let headers = headers(generated, &folder)?;
    let mut line = Line::new("xcodebuild -create-xcframework");
    for slice in &SLICES {
        let library = slice.build(&folder)?;
        let symbols = Line::new("nm -u").path(&library).output()?;
        privacy::check(manifest, &privacy::of_symbols(&symbols)).with_context(|| library.display().to_string())?;
        line = line.word("-library").path(&library).word("-headers").path(&headers);
    }
    let framework = Path::new(FRAMEWORK);
    let _ = fs::remove_dir_all(framework);
    line.word("-output").path(framework).run()?;
    let archive = folder.join("Kinglet.xcframework.zip");
    let _ = fs::remove_file(&archive);
    Line::new("ditto -c -k --sequesterRsrc --keepParent").path(framework).path(&archive).run()?;
    let checksum = Line::new("swift package compute-checksum").path(&archive).output()?;
    Ok(Ok(summary(&archive, fs::metadata(&archive)?.len(), &checksum)))
}

fn summary(archive: &Path, bytes: u64, checksum: &str) -> String {
    format!("{} of {:.1} MB, checksum {}", archive.display(), bytes as f64 / 1e6, checksum.trim())
}

/// The folder of headers, emptied and filled: in one of its own, for other packages' module maps have the same name.
fn headers(generated: &Path, folder: &Path) -> Result<PathBuf> {
    let headers = folder.join("Headers");
    let _ = fs::remove_dir_all(&headers);
    let inner = headers.join("KingletFFI");
    fs::create_dir_all(&inner)?;
    for (from, to) in [("KingletFFI.h", "KingletFFI.h"), ("KingletFFI.modulemap", "module.modulemap")] {
        fs::copy(generated.join(from), inner.join(to)).with_context(|| format!("cannot copy {from}"))?;
    }
    Ok(headers)
}

impl Slice {
    /// The line that builds for one of its machines. Faults can be put into what a Mac tests, never into a phone's.
    fn line(&self, target: &str, folder: &Path) -> Line {
        let line = Line::new("cargo rustc --package kinglet-ffi --lib --crate-type staticlib --release --locked");
        let line = line.words(if self.name == "macos" { "" } else { "--no-default-features" });
        let line = line.words("--target").word(target).word("--target-dir").path(folder);
        OLDEST.iter().fold(line, |line, (name, version)| line.env(name, *version))
    }

    /// Builds for each machine and makes one library of them.
    fn build(&self, folder: &Path) -> Result<PathBuf> {
        let mut lipo = Line::new("lipo -create");
        for target in self.targets {
            let line = self.line(target, folder);
            line.run().with_context(|| format!("cannot build for {target}; the command was: {line}"))?;
            lipo = lipo.path(&folder.join(target).join("release").join(LIBRARY));
        }
        let library = folder.join(self.name).join(LIBRARY);
        fs::create_dir_all(folder.join(self.name))?;
        lipo.word("-output").path(&library).run()?;
        Ok(library)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn headers_lie_in_a_folder_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        assert!(headers(folder.path(), folder.path()).is_err());
        for file in ["KingletFFI.h", "KingletFFI.modulemap"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let headers = headers(folder.path(), folder.path()).unwrap();
        let read = |file: &str| fs::read_to_string(headers.join("KingletFFI").join(file)).unwrap();
        assert_eq!(
            (read("KingletFFI.h").as_str(), read("module.modulemap").as_str()),
            ("KingletFFI.h", "KingletFFI.modulemap")
        );
    }

    #[test]
    fn faults_cannot_be_put_into_a_phone() {
        for slice in &SLICES {
            let line = slice.line(slice.targets[0], Path::new("out")).to_string();
            assert_eq!(line.contains("--no-default-features"), slice.name != "macos", "{line}");
            assert!(line.contains("IPHONEOS_DEPLOYMENT_TARGET=16.0") && line.contains("--release"), "{line}");
        }
    }

    #[test]
    fn a_summary_names_size_and_checksum() {
        assert_eq!(summary(Path::new("a.zip"), 12_345_678, "abc\n"), "a.zip of 12.3 MB, checksum abc");
    }
}
