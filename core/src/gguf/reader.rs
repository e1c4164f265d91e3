//! A cursor over the header that checks every step against the bytes there are, and says where it failed.

use super::value::{Array, Kind, Value};
use crate::{Error, Result};

/// Reads little-endian values one after the other.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Where the next read starts, in bytes from the file's start.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// An error at the place of the next read.
    pub(super) fn error(&self, what: impl Into<String>) -> Error {
        malformed(self.at, what)
    }

    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8]> {
        let bytes = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end));
        let bytes = bytes.ok_or_else(|| {
            self.error(format!("{what} needs {len} bytes, but only {} are left in the file", self.rest()))
        })?;
        self.at += len;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let bytes = self.take(N, what)?;
        bytes.try_into().map_err(|_| self.error(format!("{what} is cut off")))
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that take at least `each` bytes; refused where the file could not hold as many.
    pub(super) fn count(&mut self, each: usize, what: &str) -> Result<usize> {
        let start = self.at;
        let count = self.u64(what)?;
        let rest = self.rest();
        match usize::try_from(count).ok().filter(|n| n.checked_mul(each).is_some_and(|bytes| bytes <= rest)) {
            Some(count) => Ok(count),
            None => Err(malformed(start, format!("{what} is {count}, but only {rest} bytes are left in the file"))),
        }
    }

    /// A length and as many bytes of UTF-8.
    pub(super) fn string(&mut self, what: &str) -> Result<&'a str> {
        let len = self.count(1, &format!("length of {what}"))?;
        let start = self.at;
        let bytes = self.take(len, what)?;
        std::str::from_utf8(bytes).map_err(|e| malformed(start + e.valid_up_to(), format!("{what} is not valid UTF-8")))
    }

    /// The number of a value type.
    pub(super) fn kind(&mut self, what: &str) -> Result<Kind> {
        let start = self.at;
        let number = self.u32(what)?;
        Kind::from_number(number).ok_or_else(|| {
            malformed(start, format!("{what} is {number}, which is none of GGUF's value types (0 to 12)"))
        })
    }

    /// One value. An array's elements are not read: the cursor stays at the first of them, see [`Array::skip`].
    pub(super) fn value(&mut self, kind: Kind) -> Result<Value<'a>> {
        const WHAT: &str = "a metadata value";
        Ok(match kind {
            Kind::U8 => Value::Unsigned(u8::from_le_bytes(self.array(WHAT)?).into()),
            Kind::U16 => Value::Unsigned(u16::from_le_bytes(self.array(WHAT)?).into()),
            Kind::U32 => Value::Unsigned(u32::from_le_bytes(self.array(WHAT)?).into()),
            Kind::U64 => Value::Unsigned(u64::from_le_bytes(self.array(WHAT)?)),
            Kind::I8 => Value::Signed(i8::from_le_bytes(self.array(WHAT)?).into()),
            Kind::I16 => Value::Signed(i16::from_le_bytes(self.array(WHAT)?).into()),
            Kind::I32 => Value::Signed(i32::from_le_bytes(self.array(WHAT)?).into()),
            Kind::I64 => Value::Signed(i64::from_le_bytes(self.array(WHAT)?)),
            Kind::F32 => Value::F32(f32::from_le_bytes(self.array(WHAT)?)),
            Kind::F64 => Value::F64(f64::from_le_bytes(self.array(WHAT)?)),
            Kind::Bool => match self.array(WHAT)? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [byte] => return Err(malformed(self.at - 1, format!("a bool is {byte}, not 0 or 1"))),
            },
            Kind::Str => Value::Str(self.string("a string value")?),
            Kind::Array => {
                let start = self.at;
                let kind = self.kind("an array's element type")?;
                if kind == Kind::Array {
                    return Err(malformed(start, "an array holds arrays, which no known model needs"));
                }
                let len = self.count(kind.least_bytes(), "an array's length")?;
                Value::Array(Array::new(kind, len, self.clone()))
            }
        })
    }
}

/// The error of this module.
pub(super) fn malformed(offset: usize, what: impl Into<String>) -> Error {
    Error::Gguf { offset: offset as u64, what: what.into() }
}
