//! Small files of the cache folder: whole, or not there.

use std::fs;
use std::io;
use std::path::Path;

/// The bytes of a file that has no more than `most`.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
    }
    fs::read(path)
}

/// Writes a file in a folder that may not be there yet; beside its place first, so that a file of that name is whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}
