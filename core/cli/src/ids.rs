//! Token ids as people and programs write them: separated by commas, spaces or line ends, nothing added.

use crate::failure::Failure;
use crate::input;
use clap::Args;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Ids of one argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<u32>);

impl FromStr for Ids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(|c: char| c == ',' || c.is_ascii_whitespace())
            .filter(|word| !word.is_empty())
            .map(|word| word.parse().map_err(|_| format!("{word:?} is not a token id")))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Where a command's token ids come from.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct IdSource {
    /// Token ids, separated by commas or spaces; taken as they are (no bos, no template)
    #[arg(long, value_name = "ID,ID…", num_args = 1..)]
    pub ids: Option<Vec<Ids>>,

    /// A file of token ids, separated by commas, spaces or line ends; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub ids_file: Option<PathBuf>,
}

impl IdSource {
    /// The ids, where one of the two options was given.
    pub fn read(&self) -> Result<Option<Vec<u32>>, Failure> {
        match (&self.ids, &self.ids_file) {
            (Some(ids), _) => Ok(Some(ids.iter().flat_map(|ids| ids.0.iter().copied()).collect())),
            (None, Some(path)) => from_file(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// The ids in a file.
pub fn from_file(path: &Path) -> Result<Vec<u32>, Failure> {
    let text = input::read(path)?;
    Ids::from_str(&text)
        .map(|ids| ids.0)
        .map_err(|what| Failure::option("--ids-file", format!("{}: {what}", path.display())))
}

/// One line of `--jsonl`: a JSON array, an object with the field `ids`, or a plain list.
pub fn from_json_line(line: &str) -> Result<Vec<u32>, String> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Line {
        Array(Vec<u32>),
        Object { ids: Vec<u32> },
    }
    let line = line.trim();
    if line.starts_with(['[', '{']) {
        match serde_json::from_str(line).map_err(|_| "not an array of token ids, nor an object with the field ids")? {
            Line::Array(ids) | Line::Object { ids } => Ok(ids),
        }
    } else {
        Ids::from_str(line).map(|ids| ids.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Ids, from_json_line};

    #[test]
    fn separators() {
        for text in ["1,2,3", "1 2 3", "1, 2,\n3\n", "\t1,,2 ,3 ,"] {
            assert_eq!(text.parse::<Ids>().unwrap(), Ids(vec![1, 2, 3]), "{text:?}");
        }
        assert_eq!("".parse::<Ids>().unwrap(), Ids(vec![]));
        for text in ["-1", "1;2", "a", "4294967296", "1.0", "[1]"] {
            assert!(text.parse::<Ids>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_lines() {
        for line in ["[1,2]", " {\"ids\": [1, 2], \"pieces\": []} ", "1 2", "1,2"] {
            assert_eq!(from_json_line(line).unwrap(), [1, 2], "{line:?}");
        }
        assert!(from_json_line("[]").unwrap().is_empty());
        assert!(from_json_line("[1.5]").is_err());
        assert!(from_json_line("{\"id\": 1}").is_err());
    }
}
