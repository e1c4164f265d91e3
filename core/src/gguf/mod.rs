//! GGUF v2 and v3: a memory-mapped file becomes metadata and named, checked byte ranges.
//!
//! Knows nothing of models; of formats only how many bytes a row takes.

use crate::Result;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// An opened file. Cheap to clone; the mapping lives as long as any clone.
#[derive(Clone)]
pub struct Gguf(Arc<Inner>);

struct Inner {
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
}

/// One tensor of the table.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// GGUF name, for instance `blk.3.attn_q.weight`.
    pub name: String,
    /// Dimensions in GGUF order: columns (the contiguous one) first. At least one, none zero.
    pub shape: Vec<usize>,
    /// How its values are stored; the file's numbers that no format has were refused when the file was opened.
    pub format: &'static crate::quant::Format,
    /// Bytes in the file (absolute).
    pub range: Range<usize>,
}

/// Key-value pairs of the header.
pub struct Metadata;

impl Gguf {
    /// Maps and checks a file.
    pub fn open(path: &Path) -> Result<Self> {
        let _ = path;
        todo!()
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
        self.0.tensors.iter().find(|t| t.name == name)
    }
    /// Bytes of the mapping, for instance a tensor's range; empty where `range` is not within the file.
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        let _ = range;
        todo!()
    }
    /// Tells the system that these bytes are not needed soon, so that they leave this process's resident set.
    pub fn release(&self, range: Range<usize>) {
        let _ = range;
    }
}

impl Metadata {
    /// An unsigned integer of any width that fits.
    pub fn u64(&self, key: &str) -> Result<Option<u64>> {
        let _ = key;
        todo!()
    }
    /// A float (f32 or f64).
    pub fn f32(&self, key: &str) -> Result<Option<f32>> {
        let _ = key;
        todo!()
    }
    /// A boolean.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        let _ = key;
        todo!()
    }
    /// A string, borrowed from the mapping.
    pub fn str(&self, key: &str) -> Result<Option<&str>> {
        let _ = key;
        todo!()
    }
}
