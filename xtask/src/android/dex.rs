//! The classes that a file of Android's bytecode defines.
//!
//! The format is at <https://source.android.com/docs/core/runtime/dex-format>. The header, all little-endian u32: at 56
//! the number of strings and where their offsets are, at 64 the number of types and where the numbers of their strings
//! are, at 96 the number of classes and where they are; each class is 32 bytes and begins with the number of its type.
//! A string is its length as LEB128, then its bytes up to a zero.

use anyhow::{Context, Result, ensure};

const STRINGS: usize = 56;
const TYPES: usize = 64;
const CLASSES: usize = 96;
const CLASS: usize = 32;

/// Their names, as in `Ldev/kinglet/Kinglet;`.
pub fn classes(dex: &[u8]) -> Result<Vec<String>> {
    ensure!(dex.starts_with(b"dex\n"), "it is no dex file");
    let number = |at: usize| -> Result<usize> {
        let bytes = dex.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).context("the file ends too early")?;
        Ok(u32::from_le_bytes(bytes) as usize)
    };
    let (strings, types, classes) = (number(STRINGS + 4)?, number(TYPES + 4)?, number(CLASSES + 4)?);
    (0..number(CLASSES)?)
        .map(|class| {
            let kind = number(classes + class * CLASS)?;
            let string = number(types + kind * 4)?;
            let at = number(strings + string * 4)?;
            let text = dex.get(at..).context("a name lies outside of the file")?;
            let length = text.iter().position(|byte| byte & 0x80 == 0).context("a name has no length")?;
            let name = text[length + 1..].split(|byte| *byte == 0).next().unwrap_or_default();
            Ok(String::from_utf8_lossy(name).into_owned())
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use super::*;

    /// A file that defines these, with as many types and strings.
    pub fn dex(names: &[&str]) -> Vec<u8> {
        let (count, head) = (names.len(), 112);
        let (types, classes) = (head + count * 4, head + count * 8);
        let mut file = vec![0; classes + count * CLASS];
        file[..8].copy_from_slice(b"dex\n035\0");
        let set = |file: &mut Vec<u8>, at: usize, value: usize| {
            file[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        };
        for (at, offset) in [(STRINGS, head), (TYPES, types), (CLASSES, classes)] {
            set(&mut file, at, count);
            set(&mut file, at + 4, offset);
        }
        for (index, name) in names.iter().enumerate() {
            let end = file.len();
            // Types are numbered the other way round, so that numbers are not taken for each other.
            let kind = count - 1 - index;
            set(&mut file, head + index * 4, end);
            set(&mut file, types + kind * 4, index);
            set(&mut file, classes + index * CLASS, kind);
            file.push(name.len() as u8);
            file.extend_from_slice(name.as_bytes());
            file.push(0);
        }
        file
    }

    #[test]
    fn classes_are_read_by_type_and_string() {
        assert_eq!(classes(&dex(&["La;", "Lb/c;", "Ld;"])).unwrap(), ["La;", "Lb/c;", "Ld;"]);
        assert!(classes(&dex(&[])).unwrap().is_empty());
        assert!(classes(b"PK\x03\x04").is_err());
        let whole = dex(&["La;", "Lb/c;"]);
        for length in 8..120 {
            assert!(classes(&whole[..length]).is_err(), "{length}");
        }
    }
}
