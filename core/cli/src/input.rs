//! Text from files and standard input, byte for byte.

use crate::failure::Failure;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// One text and the name to show for it.
pub struct Text {
    /// The file's name, or `-`.
    pub name: String,
    /// All of it, nothing stripped.
    pub text: String,
}

/// Reads a file, or standard input for `-`.
pub fn read(path: &Path) -> Result<String, Failure> {
    let bytes = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            eprintln!("reading from the terminal; end with Ctrl-D on an empty line");
        }
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|source| Failure::read(path, source))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Here("text", format!("{} is not UTF-8 text (byte {at}); convert it first", path.display()))
    })
}

/// Reads each file; standard input where none is named.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Text>, Failure> {
    let stdin = [PathBuf::from("-")];
    let paths = if paths.is_empty() { &stdin } else { paths };
    paths.iter().map(|path| Ok(Text { name: path.display().to_string(), text: read(path)? })).collect()
}
