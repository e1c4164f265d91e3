//! What the sample app's package (APK) must and must not hold: what an app gets by taking the library.

use crate::android::archive::member;
use crate::android::dex;
use crate::android::native::{ABIS, LIBRARY, Libraries};
use crate::steps::Line;
use anyhow::{Context, Result, bail, ensure};
use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// Of the permissions, the one that an app which answers on the device does without.
const FORBIDDEN: &str = "android.permission.INTERNET";
const JNA: &str = "libjnidispatch.so";
const PAGE: u64 = 0x4000;

/// Checks the package in a folder of build outputs; `aapt2` reads its manifest. Returns a summary.
pub fn inspect(outputs: &Path, aapt2: &Path, libraries: Option<&Libraries>) -> Result<String> {
    let path = package(outputs)?;
    let told = Line::new("").path(aapt2).words("dump permissions").path(&path).output()?;
    let contents = File::open(&path)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            permissions(&told)?;
            contents(file, libraries)
        })
        .with_context(|| path.display().to_string())?;
    let size = fs::metadata(&path)?.len();
    Ok(format!("{} of {:.1} MB, {contents}", path.file_name().unwrap_or_default().display(), size as f64 / 1e6))
}

/// Whether a file's name says that it is one of these.
fn is(path: impl AsRef<Path>, extension: &str) -> bool {
    path.as_ref().extension().is_some_and(|found| found == extension)
}

/// The one package there.
fn package(outputs: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(outputs).with_context(|| format!("no package in {}", outputs.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut packages = paths.into_iter().filter(|path| is(path, "apk"));
    let package = packages.next().with_context(|| format!("no package in {}", outputs.display()))?;
    ensure!(packages.next().is_none(), "more than one package in {}", outputs.display());
    Ok(package)
}

/// Reads what aapt2 says: `package: NAME`, and a line `uses-permission: name='NAME'` for each.
fn permissions(told: &str) -> Result<()> {
    ensure!(told.contains("package: "), "aapt2 did not read the manifest");
    if told.lines().any(|line| line.starts_with("uses-permission") && line.contains(&format!("'{FORBIDDEN}'"))) {
        bail!("it asks for {FORBIDDEN}; find who brings it in the log of the manifest merger");
    }
    Ok(())
}

fn contents(file: impl Read + Seek, libraries: Option<&Libraries>) -> Result<String> {
    let mut apk = ZipArchive::new(file)?;
    let names = apk.file_names().collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();

    let built: Vec<_> = libraries.iter().flat_map(|libraries| &libraries.abis).map(|abi| abi.name).collect();
    for abi in &built {
        for library in [LIBRARY, JNA] {
            let name = format!("lib/{abi}/{library}");
            ensure!(names.contains(&name), "it lacks {name}");
        }
    }
    for name in names.iter().filter(|name| is(name, "so")) {
        let abi = name.strip_prefix("lib/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        ensure!(
            ABIS.iter().any(|known| known.name == abi),
            "it holds {name}, so it installs where Kinglet cannot run; give it ndk.abiFilters {}",
            ABIS.map(|abi| abi.name).join(", ")
        );
        aligned(&mut apk, name)?;
    }

    let mut classes = HashSet::new();
    for name in names.iter().filter(|name| name.starts_with("classes") && is(name, "dex")) {
        for class in dex::classes(&member(&mut apk, name)?).with_context(|| name.clone())? {
            ensure!(!classes.contains(&class), "it holds {class} twice");
            classes.insert(class);
        }
    }
    for class in ["Lcom/sun/jna/Native;", "Ldev/kinglet/ffi/UniffiLib;", "Ldev/kinglet/ffi/RustBuffer;"] {
        ensure!(classes.contains(class), "it lacks {class}, which is called by name");
    }
    let native = if built.is_empty() { "NO NATIVE LIBRARY".to_owned() } else { built.join(", ") };
    Ok(format!("{} classes, no INTERNET, {native}", classes.len()))
}

/// A library that is mapped out of the package, on devices with pages of 16 KiB as well.
fn aligned(apk: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<()> {
    let mut entry = apk.by_name(name)?;
    ensure!(entry.compression() == CompressionMethod::Stored, "{name} is compressed in it");
    let start = entry.data_start().with_context(|| format!("{name} begins nowhere"))?;
    ensure!(start % PAGE == 0, "{name} begins at {start:#x} in it, not at a multiple of {PAGE:#x}");
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    let elf = Elf::parse(&bytes).with_context(|| format!("{name} is no ELF file"))?;
    if let Some(load) = elf.program_headers.iter().find(|h| h.p_type == PT_LOAD && h.p_align % PAGE != 0) {
        bail!("a segment of {name} is aligned to {:#x}", load.p_align);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::android::archive::tests::archive;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    #[test]
    fn the_forbidden_permission_is_found() {
        permissions("package: dev.kinglet.sample\nuses-permission: name='android.permission.WAKE_LOCK'\n").unwrap();
        let asks = "package: dev.kinglet.sample\nuses-permission: name='android.permission.INTERNET'\n";
        assert!(format!("{:#}", permissions(asks).unwrap_err()).contains("asks for android.permission.INTERNET"));
        assert!(permissions("").is_err());
    }

    fn native(name: &str, method: CompressionMethod, alignment: u16, bytes: &[u8]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("first", SimpleFileOptions::default()).unwrap();
        zip.write_all(b"so that the next does not begin at the front").unwrap();
        let options = SimpleFileOptions::default().compression_method(method).with_alignment(alignment);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn native_libraries_are_mapped_from_where_they_are() {
        let (arm, stored) = ("lib/arm64-v8a/libkinglet_ffi.so", CompressionMethod::Stored);
        let said = |apk: Vec<u8>| format!("{:#}", contents(Cursor::new(apk), None).unwrap_err());
        assert!(said(native(arm, CompressionMethod::Deflated, 1, b"")).contains("is compressed"));
        assert!(said(native(arm, stored, 4, b"")).contains("not at a multiple of 0x4000"));
        assert!(said(native(arm, stored, 0x4000, b"")).contains("no ELF file"));
        assert!(said(native("lib/armeabi-v7a/libjnidispatch.so", stored, 0x4000, b"")).contains("ndk.abiFilters"));
    }

    #[test]
    fn what_is_built_and_what_is_called_by_name_is_there() {
        let built = Libraries { abis: vec![&ABIS[0]], stub_linked: true, summary: String::new() };
        let said = |members: &[(&str, &[u8])], built| match contents(Cursor::new(archive(members)), built) {
            Ok(summary) => summary,
            Err(error) => format!("{error:#}"),
        };
        assert!(said(&[], Some(&built)).contains("lacks lib/arm64-v8a/libkinglet_ffi.so"));
        let jna = dex::tests::dex(&["Lcom/sun/jna/Native;"]);
        let ours = dex::tests::dex(&["Ldev/kinglet/ffi/UniffiLib;", "Ldev/kinglet/ffi/RustBuffer;"]);
        assert_eq!(
            said(&[("classes.dex", &jna), ("classes2.dex", &ours)], None),
            "3 classes, no INTERNET, NO NATIVE LIBRARY"
        );
        let twice = said(&[("classes.dex", &jna), ("classes2.dex", &jna)], None);
        assert!(twice.contains("holds Lcom/sun/jna/Native; twice"), "{twice}");
        assert!(said(&[("classes.dex", &jna)], None).contains("lacks Ldev/kinglet/ffi/UniffiLib;"));
    }

    #[test]
    fn one_package_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        assert!(package(folder.path()).is_err());
        for name in ["a.apk", "output-metadata.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(package(folder.path()).unwrap().ends_with("a.apk"));
        fs::write(folder.path().join("b.apk"), "").unwrap();
        assert!(package(folder.path()).is_err());
    }
}
