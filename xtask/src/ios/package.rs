//! Swift packages: built without a warning, tested, and their tests counted.

use crate::ios::toolchain::Swift;
use crate::steps::{Counts, Line};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// A warning fails the file that it is of, and with it every later build, until it is gone.
const STRICT: &str = "-Xswiftc -warnings-as-errors";

/// Tests that hang are ended, and the last line says which: `SwiftPM` would keep it to itself until the end.
const LIMITS: &str = if cfg!(target_os = "linux") { "timeout --kill-after=10 1200 stdbuf -oL" } else { "" };

/// A package and where it is built.
pub struct Package<'a> {
    pub swift: &'a Swift,
    /// The folder of its Package.swift.
    pub folder: &'a str,
    /// Where its products go.
    pub products: PathBuf,
    /// What its tests are told.
    pub environment: Vec<(&'static str, String)>,
}

impl Package<'_> {
    /// A command of `SwiftPM`'s for it.
    fn line(&self, command: &str) -> Line {
        self.of(self.swift.line("swift"), command)
    }

    fn of(&self, swift: Line, command: &str) -> Line {
        let line = swift.words(command).words(STRICT).word("--package-path").word(self.folder);
        let line = line.word("--scratch-path").path(&self.products);
        self.environment.iter().fold(line, |line, (name, value)| line.env(name, value.clone()))
    }

    /// Builds it with its tests; `SwiftPM`'s own warnings are errors as well.
    pub fn build(&self) -> Result<()> {
        let (line, mut warnings) = (self.line("build --build-tests"), 0);
        line.watch(|line| warnings += usize::from(line.contains("warning: ")))
            .with_context(|| format!("{} does not build; the command was: {line}", self.folder))?;
        ensure!(warnings == 0, "{warnings} warnings in the build of {}", self.folder);
        Ok(())
    }

    /// Runs what [`Self::build`] built.
    pub fn test(&self) -> Result<Counts> {
        let line = self.of(self.swift.line_after(LIMITS, "swift"), "test --skip-build");
        let mut counts = Counts::default();
        let result = line.watch(|line| counts += counted(line));
        if result.is_err() || counts.failed > 0 {
            let result = result.err().unwrap_or_else(|| anyhow::anyhow!("a test failed"));
            bail!("tests of {}: {counts}, {result:#}; the command was: {line}", self.folder);
        }
        ensure!(counts.passed > 0, "{} ran no tests", self.folder);
        Ok(counts)
    }

    /// Lets the compiler describe a module, and returns the folder of its descriptions: of itself, and of what it extends
    /// in others.
    pub fn symbols(&self, module: &str) -> Result<PathBuf> {
        let line = self.line("package").words("dump-symbol-graph --minimum-access-level public");
        let output = line.word("--skip-synthesized-members").output()?;
        let folder = output.lines().find_map(|line| line.strip_prefix("Files written to "));
        let folder = PathBuf::from(folder.context("SwiftPM does not say where it wrote the symbol graphs")?);
        let ours = |name: &str| name.strip_prefix(module).is_some_and(|rest| rest.starts_with(['.', '@']));
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            // It describes every module of the package.
            if !path.file_name().is_some_and(|name| ours(&name.to_string_lossy())) {
                fs::remove_file(path)?;
            }
        }
        Ok(folder)
    }
}

/// What a line of `XCTest` or Swift Testing counts; nothing where it is not the end of one test.
fn counted(line: &str) -> Counts {
    // A test may have begun this line with its own words.
    let xctest = line.split_once("Test Case '").and_then(|(_, rest)| rest.split_once("' "));
    let end = match xctest {
        Some((_, end)) => end,
        None => testing(line).unwrap_or_default(),
    };
    let is = |word: &str| usize::from(end.starts_with(word));
    Counts { passed: is("passed"), failed: is("failed"), ignored: is("skipped") }
}

/// What Swift Testing says of a test, after a symbol and its name. Suites, runs and a test's single arguments are not
/// tests.
fn testing(line: &str) -> Option<&str> {
    let (symbol, rest) = line.split_once(' ')?;
    let rest = rest.strip_prefix("Test ").filter(|_| symbol.chars().all(|c| !c.is_alphanumeric()))?;
    if ["run with ", "case passing "].iter().any(|other| rest.starts_with(other)) {
        return None;
    }
    let ends = [" passed after ", " failed after ", " skipped"];
    ends.iter().find_map(|end| rest.find(end).map(|at| &rest[at + 1..]))
}

/// The Swift files below a folder, sorted. What begins with a dot is what tools leave behind.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "swift") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn counts(lines: &str) -> Counts {
        let mut counts = Counts::default();
        lines.lines().for_each(|line| counts += counted(line));
        counts
    }

    #[test]
    fn tests_of_xctest_are_counted() {
        let lines = "Test Suite 'All tests' started at 2026-01-01 10:00:00.000
Test Case 'StreamTests.testOrder' started at 2026-01-01 10:00:00.000
Test Case 'StreamTests.testOrder' passed (0.012 seconds)
words of the testTest Case 'StreamTests.testEnd' passed (0.1 seconds)
/a/StreamTests.swift:5: error: StreamTests.testCut : XCTAssertEqual failed: (\"1\") is not equal to (\"2\")
Test Case 'StreamTests.testCut' failed (0.2 seconds)
Test Case '-[KingletTests.StreamTests testMac]' passed (0.001 seconds).
Test Case 'StreamTests.testModel' skipped (0.0 seconds)
Test Suite 'All tests' failed at 2026-01-01 10:00:01.000
\t Executed 5 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.3 (0.3) seconds";
        assert_eq!(counts(lines), Counts { passed: 3, failed: 1, ignored: 1 });
    }

    #[test]
    fn tests_of_swift_testing_are_counted() {
        let lines = "◇ Test run started.
◇ Suite Streams started.
◇ Test order() started.
✔ Test order() passed after 0.001 seconds.
✔ Test \"A cancelled stream ends\" passed after 0.5 seconds.
✔ Test case passing 1 argument text → \"é\" to languages(text:) passed after 0.001 seconds.
✔ Test languages(text:) with 2 test cases passed after 0.002 seconds.
✘ Test cut() recorded an issue at StreamTests.swift:5:3: Expectation failed: 1 == 2
✘ Test cut() failed after 0.001 seconds with 1 issue.
✘ Test model() skipped: \"no model\"
✔ Suite Streams passed after 0.001 seconds.
✘ Test run with 5 tests failed after 0.001 seconds with 1 issue.";
        assert_eq!(counts(lines), Counts { passed: 3, failed: 1, ignored: 1 });
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "Test", "a Test b passed after 3", "test result: ok. 4 passed; 0 failed", "Build complete!"] {
            assert_eq!(counted(line), Counts::default(), "{line}");
        }
    }

    #[test]
    fn sources_are_found_in_every_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("B/C")).unwrap();
        fs::create_dir(root.join(".build")).unwrap();
        for file in ["B/C/a.swift", "b.swift", "B/notes.md", ".build/runner.swift"] {
            fs::write(root.join(file), "").unwrap();
        }
        assert_eq!(sources(root).unwrap(), [root.join("B/C/a.swift"), root.join("b.swift")]);
        assert!(sources(&root.join("nowhere")).is_err());
    }
}
