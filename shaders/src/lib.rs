//! Kinglet's kernels in WGSL, and what joins their files to a module.
//!
//! WGSL needs no preprocessor here: numbers vary by `override`, code varies by linking one of several files that define
//! the same functions (`quant/low4.wgsl` and `quant/low8.wgsl` both define `unpack`). [`Kernel::source`] names the
//! files of a kernel, [`Source::link`] concatenates them. The crate knows nothing of models or devices.

pub mod corpus;
mod files;
mod kernel;

pub use files::File;
pub use kernel::{Activations, Binding, Codes, Dot, Input, Kernel, Kv, Lanes, Plain, Products, Scales, Variant};

use std::fmt::Write as _;

/// The files of one module, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// What the module is called, in logs, dumps and reports.
    pub name: String,
    files: Vec<&'static File>,
}

/// A module's text, and where each line of it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// WGSL.
    pub text: String,
    /// First line (from 0) of each file in the text.
    starts: Vec<(usize, &'static str)>,
}

impl Source {
    /// One text: the files, each under a line with its name.
    pub fn link(&self) -> Linked {
        let mut text = String::new();
        let mut starts = Vec::new();
        for file in &self.files {
            let _ = writeln!(text, "// ==== {} ====", file.name);
            starts.push((text.lines().count(), file.name));
            text.push_str(file.text);
        }
        Linked { text, starts }
    }
}

/// The text of every file, to tell one set of kernels from another.
pub fn texts() -> impl Iterator<Item = &'static str> {
    files::ALL.iter().map(|file| file.text)
}

impl Linked {
    /// The file, and the line in it, of line `line` of the text; both lines counted from 1.
    pub fn place(&self, line: usize) -> Option<(&'static str, usize)> {
        let (start, name) = self.starts.iter().rev().find(|(start, _)| *start < line)?;
        Some((name, line - start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_text_leads_to_its_file() {
        let variant = Variant { dot: Dot::Plain, lanes: Lanes::Subgroup };
        let linked = Kernel::RmsNorm.source(variant).link();
        for (number, line) in linked.text.lines().enumerate() {
            let Some((name, at)) = linked.place(number + 1).filter(|_| !line.starts_with("// ====")) else { continue };
            let file = files::ALL.iter().find(|file| file.name == name);
            let original = file.and_then(|file| file.text.lines().nth(at - 1));
            assert!(original.is_some_and(|original| original == line), "{name}:{at}: {line}");
        }
    }
}
