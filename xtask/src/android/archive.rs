//! What the library's archive (AAR) must and must not hold.

use crate::android::elf;
use crate::android::native::{ABIS, LIBRARY, Libraries};
use anyhow::{Context, Result, bail, ensure};
use std::io::{Cursor, Read, Seek};
use zip::ZipArchive;

/// Checks an AAR with these libraries, or with none; `functions` are those that each exports. Returns a summary.
pub fn inspect(file: impl Read + Seek, libraries: Option<&Libraries>, functions: &[String]) -> Result<String> {
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
    natives(&mut aar, libraries, functions)?;
    let mut size = 0;
    for index in 0..aar.len() {
        size += aar.by_index_raw(index)?.compressed_size();
    }
    let native = libraries.map_or("NO NATIVE LIBRARY for Android", |libraries| libraries.summary.as_str());
    Ok(format!("AAR of {:.1} MB, {number} classes, no permission, {native}", size as f64 / 1e6))
}

/// What was built is there, still what it must be, and nothing else is.
fn natives(aar: &mut ZipArchive<impl Read + Seek>, built: Option<&Libraries>, functions: &[String]) -> Result<()> {
    let names = aar.file_names().collect::<Result<Vec<_>, _>>()?;
    let found: Vec<_> = names.iter().filter(|name| name.ends_with(".so")).map(ToString::to_string).collect();
    let path = |abi: &str| format!("jni/{abi}/{LIBRARY}");
    let wanted: Vec<_> = built.iter().flat_map(|built| &built.abis).map(|abi| path(abi.name)).collect();
    for name in &found {
        ensure!(wanted.contains(name), "it holds {name}, which was not built for it");
    }
    for abi in &ABIS {
        let name = path(abi.name);
        if wanted.contains(&name) {
            let facts = elf::inspect(&member(aar, &name)?, abi, functions).context(name)?;
            let stub_linked = built.is_some_and(|built| built.stub_linked);
            ensure!(facts.by_ndk != stub_linked, "its library for {} is not the one that was built", abi.name);
        }
    }
    Ok(())
}

/// Checks that an archive of sources or documentation holds these, in whatever folder.
pub fn inspect_texts(file: impl Read + Seek, wanted: &[&str]) -> Result<()> {
    let mut jar = ZipArchive::new(file)?;
    for text in wanted {
        let names = jar.file_names().collect::<Result<Vec<_>, _>>()?;
        let name = names.iter().find(|name| name.ends_with(text)).map(ToString::to_string);
        let bytes = member(&mut jar, &name.with_context(|| format!("it lacks {text}"))?)?;
        ensure!(!bytes.is_empty(), "{text} in it is empty");
    }
    Ok(())
}

/// A file in an archive.
pub fn member(archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name).with_context(|| format!("it lacks {name}"))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    const RULES: &str = "-keep class com.sun.jna.** { *; }\n-keep class dev.kinglet.ffi.** { *; }";
    const MANIFEST: &str = "<manifest package=\"dev.kinglet\" />";
    const OURS: [&str; 2] = ["dev/kinglet/Kinglet.class", "dev/kinglet/ffi/Engine.class"];

    pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn aar(manifest: &str, rules: &str, classes: &[&str], native: &[&str]) -> Vec<u8> {
        let classes: Vec<_> = classes.iter().map(|name| (*name, &b""[..])).collect();
        let classes = archive(&classes);
        let mut members = vec![
            ("AndroidManifest.xml", manifest.as_bytes()),
            ("proguard.txt", rules.as_bytes()),
            ("classes.jar", &classes),
        ];
        members.extend(native.iter().map(|name| (*name, &b"no ELF"[..])));
        archive(&members)
    }

    fn said(aar: Vec<u8>, libraries: Option<&Libraries>) -> String {
        inspect(Cursor::new(aar), libraries, &[]).unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn what_an_aar_must_and_must_not_hold() {
        let passed = said(aar(MANIFEST, RULES, &OURS, &[]), None);
        assert!(passed.ends_with("2 classes, no permission, NO NATIVE LIBRARY for Android"), "{passed}");
        let asks = "<manifest package=\"dev.kinglet\"><uses-permission android:name=\"android.permission.INTERNET\"/></manifest>";
        assert!(said(aar(asks, RULES, &OURS, &[]), None).contains("asks for a permission"));
        assert!(said(aar(MANIFEST, "", &OURS, &[]), None).contains("rules for R8 lack -keep class com.sun.jna"));
        assert!(said(aar(MANIFEST, RULES, &OURS[..1], &[]), None).contains("lacks dev/kinglet/ffi/Engine.class"));
        let more = [OURS[0], OURS[1], "com/sun/jna/Native.class"];
        assert!(said(aar(MANIFEST, RULES, &more, &[]), None).contains("holds com/sun/jna/Native.class"));
    }

    #[test]
    fn an_aar_holds_the_libraries_that_were_built() {
        let built = Libraries { abis: vec![&ABIS[0]], stub_linked: true, summary: String::new() };
        let arm = "jni/arm64-v8a/libkinglet_ffi.so";
        let said = |native: &[&str], built| said(aar(MANIFEST, RULES, &OURS, native), built);
        assert!(said(&[], Some(&built)).contains("lacks jni/arm64-v8a/libkinglet_ffi.so"));
        assert!(
            said(&[arm, "jni/x86_64/libkinglet_ffi.so"], Some(&built)).contains("holds jni/x86_64/libkinglet_ffi.so")
        );
        assert!(
            said(&[arm, "jni/arm64-v8a/libjnidispatch.so"], Some(&built)).contains("libjnidispatch.so, which was not")
        );
        assert!(said(&[arm], None).contains("which was not built"));
        assert!(said(&[arm], Some(&built)).contains("no ELF file"));
    }

    #[test]
    fn texts_are_all_there() {
        let wanted = ["dev/kinglet/Kinglet.kt", "dev/kinglet/ffi/kinglet_ffi.kt"];
        let said = |members: &[(&str, &[u8])]| inspect_texts(Cursor::new(archive(members)), &wanted);
        let ours: (&str, &[u8]) = ("main/dev/kinglet/Kinglet.kt", b"package dev.kinglet");
        assert!(said(&[ours]).is_err());
        assert!(said(&[ours, ("dev/kinglet/ffi/kinglet_ffi.kt", b"")]).is_err());
        said(&[ours, ("dev/kinglet/ffi/kinglet_ffi.kt", b"package dev.kinglet.ffi")]).unwrap();
    }
}
