//! Typed access to the header's key-value pairs. Values stay in the file and are decoded when asked for.

use super::Backing;
use super::reader::{Reader, malformed};
use super::value::{Kind, Value};
use crate::error::shown;
use crate::{Error, Result};
use std::sync::Arc;

/// Bytes of the shortest pair: the length of an empty key, a value's type, one byte of value.
pub(super) const SHORTEST_PAIR: usize = 8 + 4 + 1;
const LONGEST_KEY: usize = u16::MAX as usize;

/// Key-value pairs of the header.
///
/// Every getter gives `Ok(None)` where the key is absent and [`Error::Metadata`] where its value has another type.
pub struct Metadata {
    file: Arc<Backing>,
    /// In the file's order.
    pairs: Vec<Pair>,
    /// Indices into `pairs`, sorted by key.
    sorted: Vec<u32>,
}

/// Where a pair lies. Small, so that a file full of tiny pairs cannot make this table much larger than itself.
struct Pair {
    key: usize,
    key_len: u32,
    kind: Kind,
}

impl Metadata {
    /// Reads and checks `count` pairs; `reader` ends up behind them.
    pub(super) fn read<'a>(file: &'a Arc<Backing>, reader: &mut Reader<'a>, count: usize) -> Result<Self> {
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            let start = reader.at();
            let key = reader.string("a metadata key")?;
            if key.is_empty() || key.len() > LONGEST_KEY {
                return Err(malformed(
                    start,
                    format!("a metadata key has {} bytes, not 1 to {LONGEST_KEY}", key.len()),
                ));
            }
            let kind = reader.kind(&format!("value type of {}", shown(key)))?;
            pairs.push(Pair { key: start + 8, key_len: key.len() as u32, kind });
            if let Value::Array(array) = reader.value(kind)? {
                *reader = array.skip()?;
            }
        }
        let mut metadata = Self { file: file.clone(), sorted: (0..pairs.len() as u32).collect(), pairs };
        let mut sorted = std::mem::take(&mut metadata.sorted);
        sorted.sort_unstable_by_key(|i| (metadata.key(*i), *i));
        for pair in sorted.windows(2) {
            if let [first, second] = pair
                && metadata.key(*first) == metadata.key(*second)
            {
                let at = metadata.pairs.get(*second as usize).map_or(0, |pair| pair.key);
                return Err(malformed(at, format!("metadata key {} is there twice", shown(metadata.key(*second)))));
            }
        }
        metadata.sorted = sorted;
        Ok(metadata)
    }

    fn key(&self, index: u32) -> &str {
        self.pairs.get(index as usize).map_or("", |pair| pair.key(self.file.bytes()))
    }

    fn find(&self, key: &str) -> Option<&Pair> {
        let at = self.sorted.binary_search_by_key(&key, |i| self.key(*i)).ok()?;
        self.pairs.get(*self.sorted.get(at)? as usize)
    }

    /// Where a key's value starts in the file.
    pub(super) fn offset(&self, key: &str) -> usize {
        self.find(key).map_or(0, Pair::value_at)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// All pairs, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let bytes = self.file.bytes();
        self.pairs.iter().filter_map(|pair| Some((pair.key(bytes), pair.value(bytes).ok()?)))
    }

    /// A value of any type.
    pub fn get(&self, key: &str) -> Result<Option<Value<'_>>> {
        self.find(key).map(|pair| pair.value(self.file.bytes())).transpose()
    }

    /// A value that `convert` accepts, or an error that says what was `wanted`.
    fn typed<'a, T>(
        &'a self,
        key: &str,
        wanted: &str,
        convert: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        convert(&value).map(Some).ok_or_else(|| Error::Metadata {
            key: key.into(),
            what: format!("is {}, where {wanted} was expected; convert or download the model again", value.describe()),
        })
    }

    /// An unsigned integer of any width that fits.
    pub fn u64(&self, key: &str) -> Result<Option<u64>> {
        self.typed(key, "an unsigned integer", |value| value.integer()?.try_into().ok())
    }

    /// An unsigned integer of any width that fits.
    pub fn usize(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "an unsigned integer", |value| value.integer()?.try_into().ok())
    }

    /// An unsigned integer of any width that fits: token ids.
    pub fn u32(&self, key: &str) -> Result<Option<u32>> {
        self.typed(key, "an unsigned integer of 32 bits", |value| value.integer()?.try_into().ok())
    }

    /// A float (f32 or f64).
    pub fn f32(&self, key: &str) -> Result<Option<f32>> {
        self.typed(key, "a float", Value::float)
    }

    /// A boolean.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "a bool", |value| if let Value::Bool(b) = value { Some(*b) } else { None })
    }

    /// A string, borrowed from the mapping.
    pub fn str(&self, key: &str) -> Result<Option<&str>> {
        self.typed(key, "a string", |value| if let Value::Str(s) = value { Some(*s) } else { None })
    }

    /// An array of strings, borrowed from the mapping.
    pub fn strings(&self, key: &str) -> Result<Option<impl ExactSizeIterator<Item = &str> + Clone>> {
        self.typed(key, "an array of strings", |value| match value {
            Value::Array(array) if array.kind() == Kind::Str || array.is_empty() => {
                Some(array.iter().map(|value| if let Value::Str(s) = value { s } else { "" }))
            }
            _ => None,
        })
    }

    /// An array of floats.
    pub fn f32s(&self, key: &str) -> Result<Option<impl ExactSizeIterator<Item = f32> + Clone>> {
        self.typed(key, "an array of floats", |value| match value {
            Value::Array(array) if matches!(array.kind(), Kind::F32 | Kind::F64) || array.is_empty() => {
                Some(array.iter().map(|value| value.float().unwrap_or_default()))
            }
            _ => None,
        })
    }

    /// An array of integers of any width, all of which fit.
    pub fn i32s(&self, key: &str) -> Result<Option<impl ExactSizeIterator<Item = i32> + Clone>> {
        self.integers(key, "an array of integers of 32 bits")
    }

    /// An array of integers of any width, all of which fit.
    pub fn u32s(&self, key: &str) -> Result<Option<impl ExactSizeIterator<Item = u32> + Clone>> {
        self.integers(key, "an array of unsigned integers of 32 bits")
    }

    fn integers<T: TryFrom<i128> + Default>(
        &self,
        key: &str,
        wanted: &str,
    ) -> Result<Option<impl ExactSizeIterator<Item = T> + Clone>> {
        self.typed(key, wanted, |value| {
            let Value::Array(array) = value else { return None };
            let integer = |value: Value<'_>| value.integer().and_then(|n| T::try_from(n).ok());
            let all_fit = array.iter().all(|value| integer(value).is_some());
            all_fit.then(|| array.iter().map(move |value| integer(value).unwrap_or_default()))
        })
    }
}

impl Pair {
    fn key<'a>(&self, file: &'a [u8]) -> &'a str {
        let bytes = file.get(self.key..self.key + self.key_len as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn value_at(&self) -> usize {
        self.key + self.key_len as usize + 4
    }

    fn value<'a>(&self, file: &'a [u8]) -> Result<Value<'a>> {
        Reader::new(file, self.value_at()).value(self.kind)
    }
}
