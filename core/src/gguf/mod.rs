//! GGUF v2 and v3: a memory-mapped file becomes metadata and named, checked byte ranges.
//!
//! The file is untrusted: every count, length and offset is checked against the bytes there are before anything is
//! allocated for it, and what is kept in memory is small beside what it describes. Strings, arrays and weights stay in
//! the mapping. Knows nothing of models; of formats only how many bytes a row takes.
//!
//! Source: the GGUF specification in GGML's documentation. Big-endian files, version 1 and arrays of arrays are refused.

mod metadata;
mod reader;
mod tensors;
mod value;

pub use metadata::Metadata;
pub use tensors::TensorInfo;
pub use value::{Array, Elements, Value};

use crate::{Error, Result};
use memmap2::Mmap;
use reader::{Reader, malformed};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

const DEFAULT_ALIGNMENT: usize = 32;

/// An opened file. Cheap to clone; the mapping lives as long as any clone.
#[derive(Clone)]
pub struct Gguf(Arc<Inner>);

struct Inner {
    file: Arc<Backing>,
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    /// Indices into `tensors`, sorted by name.
    by_name: Vec<u32>,
}

/// Where the bytes are.
enum Backing {
    Map(Mmap),
    Owned(Vec<u8>),
}

impl Backing {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Map(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Gguf {
    /// Maps and checks a file. It must not be changed or cut while it is open.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            return Self::from_bytes(Vec::new());
        }
        // SAFETY: the mapping is private and read-only. Another process that cuts the file could still end this one
        // with a signal, as with any mapped file; what it changes is read as plain bytes, whose every use is checked.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Self::parse(Backing::Map(map))
    }

    /// Checks a file that is already in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::parse(Backing::Owned(bytes))
    }

    fn parse(file: Backing) -> Result<Self> {
        let file = Arc::new(file);
        let mut reader = Reader::new(file.bytes(), 0);
        match reader.take(4, "the magic number")? {
            b"GGUF" => {}
            b"FUGG" => return Err(malformed(0, "the file is big-endian, which is not supported")),
            other => return Err(malformed(0, format!("the magic number is {other:02x?}, not \"GGUF\""))),
        }
        let version = reader.u32("the version")?;
        if !matches!(version, 2 | 3) {
            let big_endian = matches!(version.swap_bytes(), 1..=3);
            return Err(malformed(
                4,
                if big_endian {
                    "the file is big-endian, which is not supported".to_string()
                } else {
                    format!("version {version} is not supported, 2 and 3 are")
                },
            ));
        }
        let tensor_count = reader.count(tensors::SHORTEST_ENTRY, "the number of tensors")?;
        let pairs = reader.count(metadata::SHORTEST_PAIR, "the number of metadata pairs")?;
        let metadata = Metadata::read(&file, &mut reader, pairs)?;
        let alignment = alignment(&metadata)?;
        let (tensors, by_name) = tensors::read(file.bytes(), &mut reader, tensor_count, alignment)?;
        Ok(Self(Arc::new(Inner { file, version, metadata, tensors, by_name })))
    }

    /// Version of the file: 2 or 3.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Bytes of the whole file.
    pub fn len(&self) -> usize {
        self.0.file.bytes().len()
    }

    /// Whether the file is empty, which no opened file is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the whole file, as hexadecimal digits.
    pub fn sha256(&self) -> String {
        hexadecimal(&Sha256::digest(self.file_bytes()))
    }

    fn file_bytes(&self) -> &[u8] {
        self.0.file.bytes()
    }

    /// Tells files apart: SHA-256 of the length, the header, and the beginning of every tensor. Not a hash of the file,
    /// which would read all of it.
    pub fn fingerprint(&self) -> [u8; 32] {
        const BEGINNING: usize = 4 << 10;
        let mut hash = Sha256::new();
        hash.update((self.len() as u64).to_le_bytes());
        let data = self.tensors().iter().map(|tensor| tensor.range.start).min().unwrap_or(self.len());
        hash.update(self.bytes(&(0..data)));
        for tensor in self.tensors() {
            let end = tensor.range.end.min(tensor.range.start + BEGINNING);
            hash.update(self.bytes(&(tensor.range.start..end)));
        }
        hash.finalize().into()
    }

    /// Metadata of the header.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// All tensors, in the file's order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.0.tensors
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        let Inner { tensors, by_name, .. } = &*self.0;
        let at = by_name.binary_search_by(|i| tensors.get(*i as usize).map_or("", |t| &t.name).cmp(name)).ok()?;
        tensors.get(*by_name.get(at)? as usize)
    }

    /// Bytes of the mapping, for instance a tensor's range; empty where `range` is not within the file.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.0.file.bytes().get(range.clone()).unwrap_or_default()
    }

    /// Tells the system that these bytes are not needed soon, so that they leave this process's resident set.
    ///
    /// They can still be read: the system then gets them from the file again. Whole pages go, so neighbours may too.
    pub fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Backing::Map(map) = &*self.0.file {
            // A multiple of every page size in use, so that no remainder stays between two ranges.
            const PAGE: usize = 64 << 10;
            let start = range.start / PAGE * PAGE;
            let end = range.end.checked_next_multiple_of(PAGE).unwrap_or(usize::MAX).min(map.len());
            if start < end {
                // SAFETY: the mapping is read-only and backed by the file, so dropped pages are read again unchanged.
                #[allow(unsafe_code)]
                let result =
                    unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start) };
                if let Err(error) = result {
                    log::debug!("cannot release bytes {start}..{end} of the mapping: {error}");
                }
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

/// What tensor offsets are multiples of.
fn alignment(metadata: &Metadata) -> Result<usize> {
    const KEY: &str = "general.alignment";
    let alignment = metadata.usize(KEY)?.unwrap_or(DEFAULT_ALIGNMENT);
    // The specification asks for a multiple of 8; powers of two are what is written and what other readers accept.
    if alignment.is_power_of_two() && (8..=1 << 20).contains(&alignment) {
        Ok(alignment)
    } else {
        let what = format!("{KEY} is {alignment}, not a power of two from 8 to 1048576");
        Err(malformed(metadata.offset(KEY), what))
    }
}

/// Two digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
