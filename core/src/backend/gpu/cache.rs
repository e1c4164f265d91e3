//! Compiled kernels on disk, for drivers that do not keep them themselves.
//!
//! A file is of one adapter, driver and set of shaders. What does not look right is thrown away: a driver may crash on
//! bytes that it did not write.

#![allow(unsafe_code)] // The driver trusts the bytes.

use super::device::Opened;
use crate::files;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use wgpu::{Features, PipelineCache, PipelineCacheDescriptor};

/// Before the driver's bytes: what the file is, their length and their hash.
const MAGIC: &[u8; 8] = b"kinglet1";
const HEADER: usize = 24;
/// More than all kernels of a model can take.
const MOST: u64 = 64 << 20;

/// The compiled kernels of a device.
pub(super) struct Kept {
    path: PathBuf,
    cache: PipelineCache,
    before: Vec<u8>,
}

impl Kept {
    /// Those in `folder`, or an empty set that can be saved there; `None` where the device cannot give them away.
    pub(super) fn open(gpu: &Opened, folder: &Path) -> Option<Self> {
        if !gpu.device.features().contains(Features::PIPELINE_CACHE) {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (&gpu.facts.name, &gpu.facts.driver, gpu.facts.backend, gpu.tier.number()).hash(&mut hasher);
        kinglet_shaders::texts().for_each(|text| text.hash(&mut hasher));
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        let path = folder.join(format!("{:016x}.pipelines", hasher.finish()));
        let before = read(&path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                log::warn!("compiled kernels in {} are thrown away: {error}", path.display());
            }
            Vec::new()
        });
        let make = |data: Option<&[u8]>| {
            let desc = PipelineCacheDescriptor { label: Some("kernels"), data, fallback: true };
            // SAFETY: the bytes are what the same driver gave for the same adapter, unchanged by their hash.
            gpu.scoped("compiled kernels", || unsafe { gpu.device.create_pipeline_cache(&desc) })
        };
        let known = Some(before.as_slice()).filter(|bytes| !bytes.is_empty());
        let cache = make(known).or_else(|_| make(None)).ok()?;
        Some(Self { path, cache, before })
    }

    /// For making pipelines.
    pub(super) fn cache(&self) -> &PipelineCache {
        &self.cache
    }

    /// Writes what is new. A failure costs time at the next start, nothing else.
    pub(super) fn save(&self) {
        let Some(data) = self.cache.get_data().filter(|data| *data != self.before) else { return };
        if let Err(error) = write(&self.path, &data) {
            log::warn!("compiled kernels cannot be kept in {}: {error}", self.path.display());
        }
    }
}

fn hash(data: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let bytes = files::read(path, MOST)?;
    let (header, data) = bytes.split_at_checked(HEADER).ok_or_else(|| wrong("it is too short"))?;
    let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if !header.starts_with(MAGIC) || number(8) != data.len() as u64 || number(16) != hash(data) {
        return Err(wrong("it is damaged"));
    }
    Ok(data.to_vec())
}

fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    let header = [*MAGIC, (data.len() as u64).to_le_bytes(), hash(data).to_le_bytes()];
    files::write(path, &[header.as_flattened(), data].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("some.pipelines");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        write(&path, b"machine code").unwrap();
        assert_eq!(read(&path).unwrap(), b"machine code");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(read(&path).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read(&path).is_err(), "cut at {at}");
        }
    }
}
