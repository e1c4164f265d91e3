//! What a library for Android must be: its ABI's, aligned for pages of 16 KiB, stripped, with everything that the
//! generated Kotlin calls, and wanting only what Android has.

use crate::android::native::Abi;
use anyhow::{Context, Result, bail, ensure};
use goblin::elf::dynamic::DF_TEXTREL;
use goblin::elf::program_header::PT_LOAD;
use goblin::elf::sym::STB_WEAK;
use goblin::elf::{Elf, Sym};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Android's own, which every app may load.
pub const NEEDED: [&str; 5] = ["libc.so", "libm.so", "libdl.so", "liblog.so", "libandroid.so"];
const PAGE: u64 = 0x4000;
const IMPORTS: &str = include_str!("imports.txt");
const GENERATED: &str = "dev/kinglet/ffi/kinglet_ffi.kt";
const DECLARED: &str = "external fun ";

/// A name that is taken from Android.
pub struct Import {
    /// Where from, without `.so`.
    pub library: &'static str,
    pub name: &'static str,
    /// It is a variable.
    pub object: bool,
    /// It may be missing.
    pub weak: bool,
}

/// What `imports.txt` lists.
pub fn imports() -> Result<Vec<Import>> {
    let lines = IMPORTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (words, library) = (line.split(' ').collect::<Vec<_>>(), "imports.txt");
            let (object, weak) = match words.get(2) {
                None => (false, false),
                Some(&"object") => (true, false),
                Some(&"weak") => (false, true),
                Some(_) => bail!("{library}: {line}"),
            };
            let &[library, name] = words.get(..2).with_context(|| format!("{library}: {line}"))? else {
                bail!("{line}")
            };
            Ok(Import { library, name, object, weak })
        })
        .collect()
}

/// The functions that the generated Kotlin, in this folder, calls.
pub fn functions(kotlin: &Path) -> Result<Vec<String>> {
    let path = kotlin.join(GENERATED);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let names = text.lines().filter_map(|line| line.trim().strip_prefix(DECLARED)?.split('(').next());
    let names: Vec<_> = names.map(str::to_owned).collect();
    ensure!(!names.is_empty(), "{} declares no function of the library", path.display());
    Ok(names)
}

/// What is told about a library that passed.
pub struct Facts {
    /// It has the note that the NDK puts into what it links.
    pub by_ndk: bool,
}

/// Checks a library; `functions` are those that it must export.
pub fn inspect(bytes: &[u8], abi: &Abi, functions: &[String]) -> Result<Facts> {
    let elf = Elf::parse(bytes).context("it is no ELF file")?;
    ensure!(elf.header.e_machine == abi.machine && elf.is_64, "it is not for {}", abi.name);
    let mut loads = elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD).peekable();
    ensure!(loads.peek().is_some(), "it has no segment to load");
    if let Some(load) = loads.find(|load| load.p_align != PAGE) {
        bail!("a segment is aligned to {:#x}, not to {PAGE:#x}; see .cargo/config.toml", load.p_align);
    }
    if let Some(foreign) = elf.libraries.iter().find(|library| !NEEDED.contains(library)) {
        bail!("it wants {foreign}, which an app cannot load");
    }
    let info = elf.dynamic.as_ref().map(|dynamic| &dynamic.info).context("it is no shared library")?;
    ensure!(!info.textrel && info.flags & DF_TEXTREL == 0, "it relocates its code, which Android refuses");
    let sections = elf.section_headers.iter().filter_map(|section| elf.shdr_strtab.get_at(section.sh_name));
    let debug = sections.filter(|name| name.starts_with(".debug")).count();
    ensure!(elf.syms.is_empty() && debug == 0, "it is not stripped");

    let symbols: Vec<_> =
        elf.dynsyms.iter().filter_map(|sym| Some((elf.dynstrtab.get_at(sym.st_name)?, sym))).collect();
    known(&symbols)?;
    let exported = |name: &str| symbols.iter().any(|(found, sym)| *found == name && sym.st_shndx != 0);
    if let Some(missing) = functions.iter().find(|name| !exported(name)) {
        bail!("it lacks {missing}, which the generated Kotlin calls");
    }
    let mut notes = elf.iter_note_headers(bytes).into_iter().flatten();
    Ok(Facts { by_ndk: notes.any(|note| note.is_ok_and(|note| note.name == "Android")) })
}

/// Whether Android has all that is not in the library itself.
fn known(symbols: &[(&str, Sym)]) -> Result<()> {
    let imports = imports()?;
    let imports: HashMap<_, _> = imports.iter().map(|import| (import.name, import.weak)).collect();
    for (name, sym) in symbols.iter().filter(|(name, sym)| sym.st_shndx == 0 && !name.is_empty()) {
        match imports.get(name) {
            None => {
                bail!("it wants {name}, which is not in xtask/src/android/imports.txt; the file says how to add it")
            }
            Some(weak) => {
                ensure!(!weak || sym.st_bind() == STB_WEAK, "it cannot do without {name}, which Android 26 lacks");
            }
        }
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::android::native::ABIS;
    use crate::steps::Line;
    use std::path::PathBuf;

    const RIGHT: &str = "-Wl,-z,max-page-size=16384 -Wl,-s";
    const SOURCE: &str = ".text\n.globl ours\n.type ours, %function\nours: call malloc@PLT\nret\n";

    /// A library of this machine's, by the compiler that Rust itself links with; and what is said of it.
    fn said(source: &str, options: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.s"), source).unwrap();
        fs::write(path("other.s"), ".globl other\nother: ret\n").unwrap();
        let link = |source: &str, options: &str, library: &Path| {
            Line::new("cc -shared -nostdlib -o").path(library).path(&path(source)).words(options).run().unwrap();
        };
        link("other.s", "-Wl,-soname,libother.so", &path("libother.so"));
        link("a.s", &options.replace("DIR", &folder.path().display().to_string()), &path("a.so"));
        let functions = ["ours".to_owned()];
        match inspect(&fs::read(path("a.so")).unwrap(), &ABIS[1], &functions) {
            Ok(facts) => format!("passed, NDK: {}", facts.by_ndk),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_right_library_passes() {
        assert_eq!(said(SOURCE, RIGHT), "passed, NDK: false");
        let note = ".section .note.android.ident, \"a\", %note\n.long 8, 4, 1\n.ascii \"Android\\0\"\n.long 26\n";
        assert_eq!(said(&format!("{SOURCE}{note}"), RIGHT), "passed, NDK: true");
        let weak = format!("{SOURCE}.weak getrandom\ncall getrandom@PLT\n");
        assert_eq!(said(&weak, RIGHT), "passed, NDK: false");
    }

    #[test]
    fn each_fault_of_a_library_is_found() {
        let more = |lines: &str| format!("{SOURCE}{lines}");
        let cases = [
            (SOURCE.to_owned(), "-Wl,-z,max-page-size=4096 -Wl,-s", "aligned to 0x1000, not to 0x4000"),
            (SOURCE.to_owned(), "-Wl,-z,max-page-size=65536 -Wl,-s", "aligned to 0x10000"),
            (SOURCE.to_owned(), "-Wl,-z,max-page-size=16384", "not stripped"),
            (more("call other@PLT\n"), &format!("{RIGHT} -LDIR -lother"), "wants libother.so"),
            (more(".quad malloc\n"), &format!("{RIGHT} -Wl,-z,notext"), "relocates its code"),
            (SOURCE.replace("ours", "theirs"), RIGHT, "lacks ours"),
            (more("call pthread_cancel@PLT\n"), RIGHT, "wants pthread_cancel, which is not in"),
            (more("call getrandom@PLT\n"), RIGHT, "cannot do without getrandom"),
        ];
        for (source, options, wanted) in cases {
            let said = said(&source, options);
            assert!(said.contains(wanted), "{options}: {said}");
        }
    }

    #[test]
    fn another_machine_and_other_files_are_refused() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        let error = |bytes: &[u8]| format!("{:#}", inspect(bytes, &ABIS[0], &[]).err().unwrap());
        assert!(error(&this).contains("not for arm64-v8a"));
        assert!(error(b"PK").contains("no ELF file"));
    }

    #[test]
    fn generated_kotlin_names_its_functions() {
        let folder = tempfile::tempdir().unwrap();
        assert!(functions(folder.path()).is_err());
        let path: PathBuf = folder.path().join(GENERATED);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            &path,
            "object Lib {\n    external fun ffi_a(\n        x: Int,\n    ): Int\n    fun other() = 1\n}\n",
        )
        .unwrap();
        assert_eq!(functions(folder.path()).unwrap(), ["ffi_a"]);
    }

    #[test]
    fn the_list_of_imports_is_well_formed() {
        let imports = imports().unwrap();
        for import in &imports {
            assert!(NEEDED.contains(&format!("{}.so", import.library).as_str()), "{}", import.library);
            assert_eq!(imports.iter().filter(|i| i.name == import.name).count(), 1, "{} is there twice", import.name);
        }
        assert!(imports.len() > 100);
    }
}
