//! Modules use only what is below them in the picture of `ARCHITECTURE.md`, which therefore is always true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names that may be used from the crate's root, and the module that they come from.
const ROOT: [(&str, &str); 10] = [
    ("Cancel", "backend"),
    ("Constraint", "generate"),
    ("Engine", "engine"),
    ("Error", "error"),
    ("Generation", "engine"),
    ("Result", "error"),
    ("Sampling", "generate"),
    ("Session", "engine"),
    ("Stats", "stats"),
    ("StopReason", "generate"),
];

/// Each module's line in the picture, counted from the top. A line holds names and descriptions in turn, two or more
/// spaces apart.
fn picture(text: &str) -> BTreeMap<String, usize> {
    let section = text.split("## Modules").nth(1).expect("ARCHITECTURE.md has no section Modules");
    let block = section.split("```").nth(1).expect("the section Modules has no picture");
    let mut lines = BTreeMap::new();
    for (number, line) in block.lines().enumerate() {
        for name in line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).step_by(2) {
            assert!(lines.insert(name.to_owned(), number).is_none(), "{name} is twice in the picture");
        }
    }
    lines
}

/// The Rust files under `path`, without those of tests, which may look anywhere.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let tests = path.file_name().is_some_and(|name| name == "tests.rs");
        return if tests { Vec::new() } else { vec![path.to_owned()] };
    }
    std::fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
}

/// Code without comments and without the tests at a file's end, which may look anywhere.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// First names behind `crate::`, braces opened.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && !c.is_whitespace() => {
                    names.insert(identifier(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What is wrong with the edges out of `module`.
fn faults(module: &str, code: &str, lines: &BTreeMap<String, usize>) -> Vec<String> {
    let Some(own) = lines.get(module) else { return vec![format!("{module} is not in the picture")] };
    let mut faults = Vec::new();
    for name in used(code) {
        let target = ROOT.iter().find(|(root, _)| *root == name).map_or(name.as_str(), |(_, module)| module);
        match lines.get(target) {
            _ if target == module => {}
            None => faults.push(format!("{module} uses crate::{name}, which is no module of the picture")),
            Some(line) if line > own => {}
            Some(_) => faults.push(format!("{module} uses {target}, which is not below it")),
        }
    }
    faults
}

#[test]
fn modules_use_only_what_is_below_them() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lines = picture(&std::fs::read_to_string(core.join("../ARCHITECTURE.md")).unwrap());
    let mut found = Vec::new();
    let mut modules = BTreeSet::new();
    for entry in std::fs::read_dir(core.join("src")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        for file in files(&path).into_iter().filter(|file| file.extension().is_some_and(|ext| ext == "rs")) {
            let code = code(&std::fs::read_to_string(&file).unwrap());
            found
                .extend(faults(&module, &code, &lines).into_iter().map(|fault| format!("{}: {fault}", file.display())));
        }
        modules.insert(module);
    }
    let outside = ["android", "bindings", "cli", "ios"];
    let gone = lines.keys().filter(|name| !outside.contains(&name.as_str()) && !modules.contains(*name));
    found.extend(gone.map(|name| format!("{name} is in the picture, but not in core/src")));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_wrong_edge_is_found() {
    let lines =
        picture("## Modules\n```\nengine  the door\nmodel   families    weights  names\nerror   one enum\n```\n");
    let check = |module, text: &str| faults(module, &code(text), &lines).len();
    assert_eq!(
        check("engine", "use crate::model::{config, decoder};\nuse crate::{Error, Result, weights::Weights};"),
        0
    );
    assert_eq!(check("model", "use crate::{Result, engine::{Engine, Options}};"), 1, "upwards");
    assert_eq!(check("model", "fn f() { crate::weights::find() }"), 1, "sideways");
    assert_eq!(check("model", "use crate::Engine;"), 1, "past the module");
    assert_eq!(check("nowhere", ""), 1, "unknown");
    assert_eq!(check("model", "//! [`crate::engine`]\n#[cfg(test)]\nuse crate::engine;"), 0, "comments and tests");
}

#[test]
fn wgpu_is_used_by_the_gpu_backend_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (inside, outside): (Vec<_>, Vec<_>) = files(&source)
        .into_iter()
        .filter(|file| code(&std::fs::read_to_string(file).unwrap()).contains("wgpu::"))
        .partition(|file| file.starts_with(source.join("backend/gpu")));
    assert!(!inside.is_empty() && outside.is_empty(), "{outside:?}");
}
