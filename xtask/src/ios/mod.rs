//! The Swift package and the sample app: generated bindings, format, builds without warnings, tests with this machine's
//! own native library, public API, privacy manifests, and on a Mac the `XCFramework`.

mod api;
mod framework;
mod package;
mod privacy;
mod toolchain;
mod views;

use crate::bindings;
use crate::model::{self, Licence, SMOLLM2};
use crate::steps::Outcome;
use anyhow::{Context, Result, bail, ensure};
use package::Package;
use std::fs;
use std::path::{Path, PathBuf};
use toolchain::Swift;

const PROJECT: &str = "ios";
const SAMPLE: &str = "ios/Sample";
const MODULE: &str = "Kinglet";
/// What the generator writes, and where the package has it.
const GENERATED: [(&str, &str); 2] = [
    ("KingletBindings.swift", "ios/Sources/KingletBindings/KingletBindings.swift"),
    ("KingletFFI.h", "ios/Sources/KingletFFI/KingletFFI.h"),
];
const API: &str = "ios/api/Kinglet.txt";
const CATALOGUE: &str = "ios/Sources/Kinglet/Kinglet.docc";
const DATA: &str = "core/tests/data";
/// The library, then the app.
const PRODUCTS: [Product; 2] = [
    Product { manifest: "ios/Sources/Kinglet/PrivacyInfo.xcprivacy", sources: &["ios/Sources"] },
    Product {
        manifest: "ios/Sample/Resources/PrivacyInfo.xcprivacy",
        sources: &["ios/Sample/App", "ios/Sample/ShareExtension", "ios/Sample/Sources"],
    },
];

/// How much is done.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Tests of `SmolLM2` as well.
    pub everything: bool,
    /// Swift is formatted, bindings and public API written down anew, instead of being compared.
    pub fix: bool,
}

/// Builds and tests.
pub fn run(extent: Extent) -> Result<Outcome> {
    let swift = match Swift::find()? {
        Ok(swift) => swift,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    let mut summary = vec![format!("Swift {}", swift.version)];
    let generated = bindings::run(None, false)?.join("swift");
    for (name, committed) in GENERATED {
        same(Path::new(committed), &fs::read_to_string(generated.join(name))?, extent.fix)?;
    }
    let sources = written()?;
    format(&swift, &sources, extent.fix)?;
    summary.push(format!("{} files formatted", sources.len()));
    for product in &PRODUCTS {
        product.check_privacy()?;
    }

    let target = bindings::target()?;
    let missing = match framework::build(&generated, &target, &fs::read_to_string(PRODUCTS[0].manifest)?)? {
        Ok(built) => {
            summary.push(built);
            None
        }
        Err(why) if cfg!(target_os = "macos") => return Ok(Outcome::Skipped(why)),
        Err(why) => Some(why),
    };
    let mut environment = vec![
        ("KINGLET_LIBRARY", target.join("debug").display().to_string()),
        ("KINGLET_DATA", fs::canonicalize(DATA)?.display().to_string()),
    ];
    if extent.everything {
        let model = model::get(&SMOLLM2, Licence::Ask)?;
        let folder = model.parent().context("a model lies in a folder")?;
        environment.push(("KINGLET_MODELS", folder.display().to_string()));
    } else {
        environment.push(("KINGLET_QUICK", "1".into()));
    }
    for folder in [PROJECT, SAMPLE] {
        let products = target.join("swift").join(folder);
        let package = Package { swift: &swift, folder, products, environment: environment.clone() };
        package.build()?;
        // What takes seconds before what takes minutes.
        summary.push(if folder == PROJECT { api(&package, extent.fix)? } else { screens(&package)? });
        summary.push(format!("{folder}: {}", package.test()?));
    }
    summary.extend(missing);
    Ok(Outcome::Passed(summary.join("; ")))
}

/// The Swift that people wrote.
fn written() -> Result<Vec<PathBuf>> {
    let mut files = package::sources(Path::new(PROJECT))?;
    files.retain(|file| GENERATED.iter().all(|(_, generated)| file != Path::new(generated)));
    Ok(files)
}

/// Formats, or says what is not formatted.
fn format(swift: &Swift, files: &[PathBuf], fix: bool) -> Result<()> {
    let with = |command: &str| files.iter().fold(swift.line(command), |line, file| line.path(file));
    if fix {
        with("swift format format --in-place --parallel").run().context("swift format cannot format")?;
    }
    with("swift format lint --strict --parallel").run().with_context(|| {
        format!("Swift in {PROJECT} is not as swift-format wants it; `cargo xtask ios --fix` puts in order what it can")
    })
}

/// Compares the public API with what is committed, and makes the documentation, of which every link has to lead
/// somewhere. What a Mac compiles, or another compiler shows, differs by itself.
fn api(package: &Package, fix: bool) -> Result<String> {
    if !cfg!(target_os = "linux") || !package.swift.version.starts_with("6.0") {
        return Ok("public API and documentation NOT CHECKED, which is done by Swift 6.0 on Linux".into());
    }
    let graphs = package.symbols(MODULE)?;
    let listing = api::read(&graphs)?;
    same(Path::new(API), &listing, fix)?;
    docs(package, &graphs)?;
    Ok(format!("public API of {} lines", listing.lines().count()))
}

/// Makes the documentation. Not every parameter needs words of its own; all else that is wrong with it is an error.
fn docs(package: &Package, graphs: &Path) -> Result<()> {
    let line = package.swift.line("docc convert").word(CATALOGUE).word("--additional-symbol-graph-dir").path(graphs);
    let line = line.words("--fallback-bundle-identifier dev.kinglet --fallback-display-name").word(MODULE);
    let line = line.word("--output-path").path(&package.products.join("docs"));
    let mut faults = 0;
    let is_fault = |line: &str| line.starts_with("warning: ") && !line.ends_with(" is missing documentation");
    line.watch(|line| faults += usize::from(is_fault(line))).with_context(|| format!("cannot make {CATALOGUE}"))?;
    ensure!(faults == 0, "{faults} warnings above, of the documentation in {CATALOGUE} and in the sources");
    Ok(())
}

/// Checks the sample's screens. A Mac has `SwiftUI` itself, of which Xcode makes the app.
fn screens(package: &Package) -> Result<String> {
    if cfg!(target_os = "linux") { views::check(package) } else { Ok("screens NOT CHECKED, which Xcode does".into()) }
}

/// Compares what was made with what is committed, or writes it.
fn same(committed: &Path, made: &str, fix: bool) -> Result<()> {
    let old = fs::read_to_string(committed).unwrap_or_default();
    if old == made {
        return Ok(());
    }
    let name = committed.display();
    if fix {
        println!("writing {name}");
        fs::create_dir_all(committed.parent().context("a file lies in a folder")?)?;
        return fs::write(committed, made).with_context(|| format!("cannot write {name}"));
    }
    let lines = api::difference(&old, made);
    let shown: Vec<_> = lines.lines().take(20).collect();
    bail!("{name} is out of date; `cargo xtask ios --fix` writes it. It differs by:\n{}", shown.join("\n"))
}

/// Something that is submitted with a privacy manifest.
struct Product {
    manifest: &'static str,
    /// The folders of its sources.
    sources: &'static [&'static str],
}

impl Product {
    fn check_privacy(&self) -> Result<()> {
        let manifest = fs::read_to_string(self.manifest).with_context(|| format!("no {}", self.manifest))?;
        for folder in self.sources {
            for file in package::sources(Path::new(folder))? {
                privacy::check(&manifest, &privacy::of_source(&fs::read_to_string(&file)?))
                    .with_context(|| format!("{} and {}", file.display(), self.manifest))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_date_is_shown_or_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("api/Kinglet.txt");
        let error = format!("{:#}", same(&file, "a\nb\n", false).unwrap_err());
        assert!(error.contains("--fix") && error.contains("+ a\n+ b"), "{error}");
        same(&file, "a\nb\n", true).unwrap();
        same(&file, "a\nb\n", false).unwrap();
        let error = format!("{:#}", same(&file, "a\nc\n", false).unwrap_err());
        assert!(error.contains("- b\n+ c"), "{error}");
    }
}
