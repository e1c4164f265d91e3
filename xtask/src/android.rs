//! The Android library: generates its Kotlin, builds the AAR, runs its tests with this machine's own native library.
//!
//! Where an Android SDK is set up it takes that and Gradle's wrapper; elsewhere the stand-ins of `android/standins`.

use crate::model::{self, Licence, SMOLLM2};
use crate::steps::{Counts, Line, Outcome};
use crate::{bindings, cache};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

const PROJECT: &str = "android";
const AAR: &str = "android/kinglet/build/outputs/aar/kinglet-release.aar";
const RESULTS: &str = "android/kinglet/build/test-results/testDebugUnitTest";
const PLATFORM: &str = "platforms/android-35";
/// Empty as long as nothing here links for Android.
const JNI_LIBS: &str = "android/jniLibs";

/// Builds and tests; `release` takes the optimised library for the tests, `real_models` runs those of `SmolLM2` as well.
pub fn run(release: bool, real_models: bool) -> Result<Outcome> {
    let Some(gradle) = gradle()? else {
        return Ok(Outcome::Skipped(
            "no Android SDK; set ANDROID_HOME to one that has platforms;android-35 (on Linux stand-ins are made)"
                .into(),
        ));
    };
    let generated = bindings::run(None, release)?;
    let target = bindings::target()?;
    let property = |name: &str, folder: &Path| format!("-Pkinglet.{name}={}", folder.display());
    let mut line = gradle
        .word(":kinglet:assembleRelease")
        .word(":kinglet:testDebugUnitTest")
        .word(&property("bindings", &generated.join("kotlin")))
        .word(&property("jniLibs", &target.join(JNI_LIBS)))
        .word(&property("hostLibrary", &target.join(if release { "release" } else { "debug" })));
    if real_models {
        let model = model::get(&SMOLLM2, Licence::Ask)?;
        let models = model.parent().context("a model lies in a folder")?;
        line = line.word(&property("models", models));
    }
    line.run().with_context(|| format!("{line} failed; reports are in {PROJECT}/kinglet/build/reports"))?;
    let counts = counts(Path::new(RESULTS))?;
    let aar = inspect(File::open(AAR).with_context(|| format!("no {AAR}"))?).with_context(|| AAR.to_owned())?;
    Ok(Outcome::Passed(format!("{counts}; {aar}")))
}

/// The beginning of a command line that builds, or nothing where there is no way to.
fn gradle() -> Result<Option<Line>> {
    let project = Path::new(PROJECT);
    let sdk = ["ANDROID_HOME", "ANDROID_SDK_ROOT"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let mut sdk = sdk.filter(|sdk| sdk.join(PLATFORM).exists());
    let standins = cache::root()?.join("android");
    if sdk.next().is_some_and(|sdk| !sdk.starts_with(&standins)) {
        let wrapper = if cfg!(windows) { "gradlew.bat" } else { "gradlew" };
        return Ok(Some(Line::new("").path(&project.join(wrapper)).word("-p").path(project)));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(None);
    }
    Line::new("bash android/standins/make.sh")
        .path(&standins)
        .run()
        .context("cannot make the stand-ins for Gradle and the Android SDK; xtask/setup.sh installs what they need")?;
    let line = Line::new("").path(&standins.join("gradle/bin/gradle")).word("-p").path(project);
    let user = standins.join("user").display().to_string();
    Ok(Some(line.env("GRADLE_USER_HOME", user).env("ANDROID_HOME", standins.join("sdk").display().to_string())))
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

/// Checks what an AAR must and must not hold; returns a summary.
fn inspect(file: impl Read + Seek) -> Result<String> {
    let mut aar = ZipArchive::new(file)?;
    let manifest = String::from_utf8(member(&mut aar, "AndroidManifest.xml")?)?;
    ensure!(manifest.contains("<manifest") && manifest.contains("dev.kinglet"), "its manifest is not Kinglet's");
    ensure!(!manifest.contains("<uses-permission"), "its manifest asks for a permission; Kinglet needs none");
    let rules = String::from_utf8(member(&mut aar, "proguard.txt")?)?;
    for rule in ["-keep class com.sun.jna.**", "-keep class dev.kinglet.ffi.**"] {
        ensure!(rules.contains(rule), "its rules for R8 lack {rule}");
    }
    let classes = ZipArchive::new(Cursor::new(member(&mut aar, "classes.jar")?))?;
    let names = classes.file_names().collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = names.iter().filter(|name| name.ends_with(".class")).collect();
    for class in ["dev/kinglet/Kinglet.class", "dev/kinglet/ffi/Engine.class"] {
        ensure!(names.iter().any(|name| *name == class), "it lacks {class}");
    }
    if let Some(foreign) = names.iter().find(|name| !name.starts_with("dev/kinglet/")) {
        bail!("it holds {foreign}, which an app gets from elsewhere");
    }

    let number = names.len();
    let mut size = 0;
    let mut abis = Vec::new();
    for index in 0..aar.len() {
        let entry = aar.by_index(index)?;
        size += entry.compressed_size();
        if let Some(abi) = entry.name()?.strip_suffix("/libkinglet_ffi.so") {
            abis.push(abi.trim_start_matches("jni/").to_owned());
        }
    }
    let native = if abis.is_empty() { "NO NATIVE LIBRARY for Android yet".to_owned() } else { abis.join(", ") };
    Ok(format!("AAR of {} KB, {number} classes, no permission, {native}", size / 1000))
}

fn member(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name).with_context(|| format!("it lacks {name}"))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const RULES: &str = "-keep class com.sun.jna.** { *; }\n-keep class dev.kinglet.ffi.** { *; }";
    const MANIFEST: &str = "<manifest package=\"dev.kinglet\" />";

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn aar(manifest: &str, rules: &str, classes: &[&str]) -> Vec<u8> {
        let classes: Vec<_> = classes.iter().map(|name| (*name, &b""[..])).collect();
        archive(&[
            ("AndroidManifest.xml", manifest.as_bytes()),
            ("proguard.txt", rules.as_bytes()),
            ("classes.jar", &archive(&classes)),
            ("jni/arm64-v8a/libkinglet_ffi.so", b"1"),
        ])
    }

    #[test]
    fn what_an_aar_must_and_must_not_hold() {
        let ours = ["dev/kinglet/Kinglet.class", "dev/kinglet/ffi/Engine.class"];
        let said = |aar: Vec<u8>| inspect(Cursor::new(aar)).unwrap_or_else(|error| format!("{error:#}"));
        assert!(said(aar(MANIFEST, RULES, &ours)).ends_with("2 classes, no permission, arm64-v8a"));
        let asks = "<manifest package=\"dev.kinglet\"><uses-permission android:name=\"android.permission.INTERNET\"/></manifest>";
        assert!(said(aar(asks, RULES, &ours)).contains("asks for a permission"));
        assert!(said(aar(MANIFEST, "", &ours)).contains("rules for R8 lack -keep class com.sun.jna"));
        assert!(said(aar(MANIFEST, RULES, &ours[..1])).contains("lacks dev/kinglet/ffi/Engine.class"));
        let more = [ours[0], ours[1], "com/sun/jna/Native.class"];
        assert!(said(aar(MANIFEST, RULES, &more)).contains("holds com/sun/jna/Native.class"));
    }

    #[test]
    fn junit_reports_are_counted() {
        let report = "<?xml?>\n<testsuite name=\"a\" tests=\"9\" skipped=\"1\" failures=\"2\" errors=\"1\" time=\"1\">\n</testsuite>";
        assert_eq!(suite(report), Some(Counts { passed: 5, failed: 3, ignored: 1 }));
        assert_eq!(suite("<html>"), None);
    }
}
