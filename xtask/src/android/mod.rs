//! The Android library: its native libraries, its Kotlin, the AAR, and tests with this machine's own native library.
//!
//! Where an Android SDK is set up it takes that and Gradle's wrapper; elsewhere the stand-ins of `android/standins`.

mod apk;
mod archive;
mod dex;
mod elf;
mod native;
mod stubs;

use crate::model::{self, Licence, SMOLLM2};
use crate::steps::{Counts, Line, Outcome};
use crate::{bindings, cache};
use anyhow::{Context, Result, ensure};
use native::Libraries;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const PROJECT: &str = "android";
const AAR: &str = "android/kinglet/build/outputs/aar/kinglet-release.aar";
const SOURCES: &str = "android/kinglet/build/intermediates/source_jar/release/release-sources.jar";
const DOCS: &str = "android/kinglet/build/intermediates/java_doc_jar/release/release-javadoc.jar";
const PLATFORM: &str = "platforms/android-35";
/// In cargo's target folder.
const JNI_LIBS: &str = "android/jniLibs";
/// Says on files that must not leave the machine why.
const MARKER: &str = "STUB-LINKED.txt";

/// How much is done.
#[derive(Clone, Copy)]
pub struct Extent {
    /// The native libraries are optimised, for every ABI; so is the one of the tests.
    pub release: bool,
    /// Tests of `SmolLM2`, and native libraries for Android at all.
    pub everything: bool,
    /// Kotlin is formatted and the public API written down anew, instead of being compared.
    pub fix: bool,
}

/// Builds and tests.
pub fn run(extent: Extent) -> Result<Outcome> {
    let Some(tools) = Tools::find()? else {
        return Ok(Outcome::Skipped(
            "no Android SDK; set ANDROID_HOME to one that has platforms;android-35 (on Linux stand-ins are made)"
                .into(),
        ));
    };
    let generated = bindings::run(None, extent.release)?.join("kotlin");
    let target = bindings::target()?;
    let jni_libs = target.join(JNI_LIBS);
    let (libraries, skipped) = if extent.everything {
        match native::build(extent.release, &generated, &jni_libs)? {
            Ok(libraries) => (Some(libraries), None),
            Err(why) => (None, Some(why)),
        }
    } else {
        let _ = fs::remove_dir_all(&jni_libs);
        (None, None)
    };

    let modules = Module::all(extent)?;
    let property = |name: &str, folder: &Path| format!("-Pkinglet.{name}={}", folder.display());
    let mut line = tools.gradle;
    line = line.words(if extent.fix { ":ktlintFormat :kinglet:apiDump" } else { ":ktlint :kinglet:apiCheck" });
    line = modules.iter().flat_map(|module| &module.tasks).fold(line, |line, task| line.word(task));
    line = line
        .word(&property("bindings", &generated))
        .word(&property("jniLibs", &jni_libs))
        .word(&property("hostLibrary", &target.join(if extent.release { "release" } else { "debug" })));
    if extent.everything {
        let model = model::get(&SMOLLM2, Licence::Ask)?;
        line = line.word(&property("models", model.parent().context("a model lies in a folder")?));
    }
    line.run().with_context(|| {
        format!(
            "{line} failed; reports are in {PROJECT}/*/build/reports. `cargo xtask android --fix` formats the Kotlin and \
             writes a public API down that was changed on purpose"
        )
    })?;

    let mut counts = Counts::default();
    for module in &modules {
        for tests in module.tests {
            counts += self::counts(&module.path("test-results").join(tests))?;
        }
    }
    let functions = elf::functions(&generated)?;
    let file = |path: &str| File::open(path).with_context(|| format!("no {path}"));
    let mut summary = vec![counts.to_string()];
    summary.push(archive::inspect(file(AAR)?, libraries.as_ref(), &functions).context(AAR)?);
    archive::inspect_texts(file(SOURCES)?, &["dev/kinglet/Kinglet.kt", "dev/kinglet/ffi/kinglet_ffi.kt"])
        .context(SOURCES)?;
    if extent.release {
        archive::inspect_texts(file(DOCS)?, &["dev/kinglet/Kinglet.html", "index.html"]).context(DOCS)?;
    }
    for outputs in modules.iter().flat_map(Module::packages) {
        summary.push(apk::inspect(&outputs, &tools.aapt2, libraries.as_ref())?);
    }
    keep(&target.join("android"), libraries.as_ref())?;
    let summary = summary.join("; ");
    Ok(match skipped {
        None => Outcome::Passed(summary),
        Some(why) => Outcome::Skipped(format!("no native library for Android ({why}); the rest passed: {summary}")),
    })
}

/// A part of the Gradle project.
struct Module {
    name: &'static str,
    tasks: Vec<String>,
    /// Those of the tasks that test.
    tests: &'static [&'static str],
    variants: Vec<&'static str>,
}

impl Module {
    /// The library, and the sample where there is one.
    fn all(extent: Extent) -> Result<Vec<Self>> {
        let tests: &[_] = &["testDebugUnitTest", "testShrunk"];
        let mut tasks = vec!["assembleRelease", "sourceReleaseJar"];
        tasks.extend(tests);
        if extent.release {
            // Takes as long as all the rest.
            tasks.push("javaDocReleaseJar");
        }
        let tasks = tasks.iter().map(|task| format!(":kinglet:{task}")).collect();
        let library = Self { name: "kinglet", tasks, tests, variants: Vec::new() };
        let settings = fs::read_to_string(Path::new(PROJECT).join("settings.gradle"))?;
        if !settings.contains("':sample'") {
            return Ok(vec![library]);
        }
        // The release is shrunk by R8, which takes its time.
        let variants = if extent.release { vec!["debug", "release"] } else { vec!["debug"] };
        let assemble =
            variants.iter().map(|variant| format!("assemble{}{}", variant[..1].to_uppercase(), &variant[1..]));
        let tests = &tests[..1];
        let tasks = assemble.chain(tests.iter().map(ToString::to_string));
        let tasks = tasks.map(|task| format!(":sample:{task}")).collect();
        Ok(vec![library, Self { name: "sample", tasks, tests, variants }])
    }

    fn path(&self, built: &str) -> PathBuf {
        Path::new(PROJECT).join(self.name).join("build").join(built)
    }

    /// The folders that its packages are built into.
    fn packages(&self) -> impl Iterator<Item = PathBuf> {
        self.variants.iter().map(|variant| self.path(&format!("outputs/apk/{variant}")))
    }
}

/// Copies the AAR to where it is looked for, by a name that says what it may be used for.
fn keep(folder: &Path, libraries: Option<&Libraries>) -> Result<()> {
    let marker = Path::new(AAR).with_file_name(MARKER);
    let (good, stub_linked) = (folder.join("kinglet.aar"), folder.join("kinglet-stub-linked.aar"));
    for old in [&marker, &good, &stub_linked] {
        let _ = fs::remove_file(old);
    }
    let Some(libraries) = libraries else { return Ok(()) };
    if libraries.stub_linked {
        fs::write(
            marker,
            "The native library in the AAR was linked without an NDK, against stand-ins of Android's libraries.\n\
             Do not ship it: with an NDK and cargo-ndk, `cargo xtask android --release` builds one that may be.\n",
        )?;
    }
    let to = if libraries.stub_linked { stub_linked } else { good };
    fs::create_dir_all(folder)?;
    fs::copy(AAR, &to).with_context(|| format!("cannot copy {AAR} to {}", to.display()))?;
    println!("{}", to.display());
    Ok(())
}

/// What builds here.
struct Tools {
    /// The beginning of a command line.
    gradle: Line,
    aapt2: PathBuf,
}

impl Tools {
    /// Those of an SDK, or the stand-ins; nothing where there is no way to build.
    fn find() -> Result<Option<Self>> {
        let project = Path::new(PROJECT);
        let sdk = ["ANDROID_HOME", "ANDROID_SDK_ROOT"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
        let mut sdk = sdk.filter(|sdk| sdk.join(PLATFORM).exists());
        let standins = cache::root()?.join("android");
        if let Some(sdk) = sdk.next().filter(|sdk| !sdk.starts_with(&standins)) {
            let wrapper = if cfg!(windows) { "gradlew.bat" } else { "gradlew" };
            let gradle = Line::new("").path(&project.join(wrapper)).word("-p").path(project);
            return Ok(Some(Self { gradle, aapt2: aapt2(&sdk)? }));
        }
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Ok(None);
        }
        Line::new("bash android/standins/make.sh").path(&standins).run().context(
            "cannot make the stand-ins for Gradle and the Android SDK; xtask/setup.sh installs what they need",
        )?;
        let gradle = Line::new("").path(&standins.join("gradle/bin/gradle")).word("-p").path(project);
        let (user, sdk) = (standins.join("user").display().to_string(), standins.join("sdk"));
        let gradle = gradle.env("GRADLE_USER_HOME", user).env("ANDROID_HOME", sdk.display().to_string());
        Ok(Some(Self { gradle, aapt2: aapt2(&sdk)? }))
    }
}

/// The newest in an SDK.
fn aapt2(sdk: &Path) -> Result<PathBuf> {
    let folder = sdk.join("build-tools");
    let versions = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let found = native::newest(versions.filter_map(|entry| Some(entry.ok()?.path())).collect());
    let found = found.with_context(|| format!("{} is empty; install the SDK's build tools", folder.display()))?;
    Ok(found.join(format!("aapt2{}", std::env::consts::EXE_SUFFIX)))
}

/// Adds up the tests' reports.
fn counts(folder: &Path) -> Result<Counts> {
    let mut all = Counts::default();
    for entry in fs::read_dir(folder).with_context(|| format!("no test results in {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "xml") {
            all += suite(&fs::read_to_string(&path)?).with_context(|| format!("{} counts no tests", path.display()))?;
        }
    }
    ensure!(all.passed > 0, "no tests were run");
    Ok(all)
}

/// The counts in the head of one report.
fn suite(report: &str) -> Option<Counts> {
    let head = report.split_once("<testsuite ")?.1.split_once('>')?.0;
    let number = |name: &str| head.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.parse::<usize>().ok();
    let (tests, ignored) = (number("tests")?, number("skipped")?);
    let failed = number("failures")? + number("errors")?;
    Some(Counts { passed: tests.checked_sub(failed + ignored)?, failed, ignored })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn junit_reports_are_counted() {
        let report = "<?xml?>\n<testsuite name=\"a\" tests=\"9\" skipped=\"1\" failures=\"2\" errors=\"1\" time=\"1\">\n</testsuite>";
        assert_eq!(suite(report), Some(Counts { passed: 5, failed: 3, ignored: 1 }));
        assert_eq!(suite("<html>"), None);
    }
}
