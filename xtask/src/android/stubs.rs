//! What stands in for the NDK when a library is linked: shared libraries that export the names in `imports.txt` and hold
//! nothing, and Debian's build of the unwinder that the NDK has as well.
//!
//! They prove that every name is known, not that it is called as Android wants it.

use crate::android::elf;
use crate::android::native::Abi;
use crate::cache;
use crate::debian::Apt;
use crate::steps::Line;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const SHIMS: &str = include_str!("shims.c");

/// The stand-ins for one ABI.
pub struct Stubs {
    folder: PathBuf,
    lld: PathBuf,
}

impl Stubs {
    /// Makes them anew, but for the unwinder, which is downloaded once; `toolchain` holds Rust's LLD.
    pub fn make(abi: &Abi, toolchain: &Path) -> Result<Self> {
        let compiler = abi.compiler;
        ensure!(Line::new(compiler).word("--version").succeeds(), "{compiler} is missing; xtask/setup.sh installs it");
        let lld = toolchain.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld");
        ensure!(lld.join("ld.lld").exists(), "Rust's toolchain holds no {}/ld.lld", lld.display());
        let stubs = Self { folder: cache::folder(&format!("android-stubs/{}", abi.name))?, lld };

        let imports = elf::imports()?;
        for library in elf::NEEDED.map(|library| library.trim_end_matches(".so")) {
            let source = stubs.folder.join(format!("{library}.s"));
            let mut text = String::new();
            for import in imports.iter().filter(|import| import.library == library && !import.weak) {
                let (name, kind) = (import.name, if import.object { "object" } else { "function" });
                text += &format!(".globl {name}\n.type {name}, %{kind}\n.size {name}, 8\n{name}: .space 8\n");
            }
            fs::write(&source, text)?;
            let line = Line::new(compiler).word("-shared").word(&format!("-Wl,-soname,{library}.so")).word("-o");
            let line = line.path(&stubs.folder.join(format!("{library}.so"))).path(&source);
            stubs.linking().iter().fold(line, |line, word| line.word(word)).run()?;
        }
        stubs.unwinder(abi)?;
        Ok(stubs)
    }

    /// Debian's libunwind.a with what it wants of glibc, and an empty libpthread.a, which it asks for by name.
    fn unwinder(&self, abi: &Abi) -> Result<()> {
        let kept = self.folder.join("libunwind.a");
        if !kept.exists() {
            download(abi, &self.folder.join("apt"), &kept).with_context(|| {
                format!("no libunwind for {}: it is taken from Debian, with apt-get and dpkg-deb", abi.name)
            })?;
        }
        let source = self.folder.join("shims.c");
        fs::write(&source, SHIMS)?;
        let flags = "-O2 -fPIC -ffreestanding -fno-stack-protector -c -o";
        Line::new(abi.compiler).words(flags).path(&self.shims()).path(&source).run()?;
        fs::write(self.folder.join("libpthread.a"), "!<arch>\n")?;
        Ok(())
    }

    fn shims(&self) -> PathBuf {
        self.folder.join("shims.o")
    }

    /// Links with Rust's LLD, and with nothing of this machine's.
    fn linking(&self) -> Vec<String> {
        vec![format!("-B{}", self.lld.display()), "-fuse-ld=lld".into(), "-nostdlib".into()]
    }

    /// What rustc hands on to the linker.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = self.linking();
        words.extend([format!("-L{}", self.folder.display()), self.shims().display().to_string()]);
        // What no library here has is an error now, not at the start of an app.
        words.push("-Wl,-z,defs".into());
        words.iter().map(|word| format!("-Clink-arg={word}")).collect()
    }
}

fn download(abi: &Abi, folder: &Path, kept: &Path) -> Result<()> {
    println!("getting Debian's libunwind for {}, once", abi.name);
    let apt = Apt::new(folder, "", abi.debian)?;
    let number = |name: &str| name.strip_prefix("libunwind-")?.strip_suffix("-dev")?.parse::<u32>().ok();
    let newest = apt.names("libunwind-")?.iter().filter_map(|name| number(name)).max();
    let newest = newest.context("Debian has no libunwind-NUMBER-dev")?;
    let unpacked = apt.unpack(&format!("libunwind-{newest}-dev:{}", abi.debian))?;
    let libraries = fs::read_dir(unpacked.join("usr/lib"))?;
    let mut found = libraries.filter_map(|entry| Some(entry.ok()?.path().join("libunwind.a")));
    let found = found.find(|path| path.exists()).context("its package holds no libunwind.a")?;
    let part = kept.with_added_extension("part");
    fs::copy(found, &part)?;
    fs::rename(part, kept)?;
    Ok(())
}
