//! The sample's screens: its `SwiftUI` sources, compiled in Swift 6 mode as far as can be without linking.
//!
//! Linux has no `SwiftUI`. Small modules of the same names, kept under the sample's tests, declare what the screens use;
//! they are not Apple's, draw nothing, and prove only that names, types and isolation agree with them.

use crate::ios::package::{Package, sources};
use crate::steps::Line;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The stand-ins, a folder each; `order.txt` names them in the order of their imports.
const STUBS: &str = "Tests/Stubs";
const ORDER: &str = "order.txt";
/// What the modules of the package are made with.
const HEADER: &str = "ios/Sources/KingletFFI";
/// Each becomes a program of its own.
const PROGRAMS: [&str; 2] = ["App", "ShareExtension"];

/// Checks each program against what a package built; the stubs' modules go into its products.
pub fn check(package: &Package) -> Result<String> {
    let stubs = Path::new(package.folder).join(STUBS);
    let made = package.products.join("stubs");
    fs::create_dir_all(&made)?;
    let order = fs::read_to_string(stubs.join(ORDER)).with_context(|| format!("no {}", stubs.join(ORDER).display()))?;
    let modules = [&made, &package.products.join("debug/Modules"), Path::new(HEADER)];
    let compiler = |module: &str| {
        let line = package.swift.line("swiftc -swift-version 6 -warnings-as-errors -parse-as-library -module-name");
        let line = line.word(module);
        modules.iter().fold(line, |line, folder| line.word("-I").path(folder))
    };
    for name in order.split_whitespace() {
        let line =
            compiler(name).words("-emit-module -emit-module-path").path(&made.join(format!("{name}.swiftmodule")));
        with(line, &sources(&stubs.join(name))?)
            .run()
            .with_context(|| format!("the stub of {name} does not compile"))?;
    }
    let mut number = 0;
    for program in PROGRAMS {
        let files = sources(&Path::new(package.folder).join(program))?;
        ensure!(!files.is_empty(), "{program} has no Swift");
        // Data races are looked for after the types.
        let line = with(compiler(program).words("-emit-sil -wmo -o /dev/null"), &files);
        line.run().with_context(|| format!("the sources of {program} do not fit; the command was: {line}"))?;
        number += files.len();
    }
    Ok(format!("{number} files of screens compiled against stand-ins of SwiftUI"))
}

fn with(line: Line, files: &[PathBuf]) -> Line {
    files.iter().fold(line, |line, file| line.path(file))
}
