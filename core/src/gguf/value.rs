//! Metadata values as they lie in the file: scalars and strings are read on access, arrays element by element.

use super::reader::Reader;
use crate::Result;
use std::fmt;

/// GGUF's value types, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Str,
    Array,
    U64,
    I64,
    F64,
}

impl Kind {
    pub(super) fn from_number(number: u32) -> Option<Self> {
        use Kind::{Array, Bool, F32, F64, I8, I16, I32, I64, Str, U8, U16, U32, U64};
        let kinds = [U8, I8, U16, I16, U32, I32, F32, Bool, Str, Array, U64, I64, F64];
        kinds.get(number as usize).copied()
    }

    /// Bytes that a value takes in the file, at least.
    pub(super) fn least_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::Str => 8,
            Self::Array => 12,
        }
    }

    /// The type's name, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::Str => "string",
            Self::Array => "array",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }
}

/// One metadata value, borrowed from the file. `Display` shows it in a line: long strings and arrays are cut.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value<'a> {
    /// u8, u16, u32 or u64.
    Unsigned(u64),
    /// i8, i16, i32 or i64.
    Signed(i64),
    /// f32.
    F32(f32),
    /// f64.
    F64(f64),
    /// bool.
    Bool(bool),
    /// string.
    Str(&'a str),
    /// array of any of the above.
    Array(Array<'a>),
}

impl Value<'_> {
    /// The integer, where it is one.
    pub(super) fn integer(&self) -> Option<i128> {
        match self {
            Self::Unsigned(n) => Some((*n).into()),
            Self::Signed(n) => Some((*n).into()),
            _ => None,
        }
    }

    /// The float, where it is one.
    pub(super) fn float(&self) -> Option<f32> {
        match self {
            Self::F32(x) => Some(*x),
            Self::F64(x) => Some(*x as f32),
            _ => None,
        }
    }

    /// What it is, for messages: `an i32`, `an array of string`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Unsigned(n) => format!("the unsigned integer {n}"),
            Self::Signed(n) => format!("the integer {n}"),
            Self::F32(x) => format!("the float {x}"),
            Self::F64(x) => format!("the float {x}"),
            Self::Bool(b) => format!("the bool {b}"),
            Self::Str(_) => "a string".into(),
            Self::Array(array) => format!("an array of {} {} values", array.len, array.kind.name()),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        match self {
            Self::Unsigned(n) => write!(f, "{n}"),
            Self::Signed(n) => write!(f, "{n}"),
            Self::F32(x) => write!(f, "{x}"),
            Self::F64(x) => write!(f, "{x}"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Str(s) => match s.char_indices().nth(LONGEST) {
                Some((end, _)) => write!(f, "{:?}… ({} bytes)", s.get(..end).unwrap_or_default(), s.len()),
                None => write!(f, "{s:?}"),
            },
            Self::Array(array) => write!(f, "{array}"),
        }
    }
}

/// An array of scalars or strings, decoded while it is walked.
#[derive(Clone)]
pub struct Array<'a> {
    kind: Kind,
    len: usize,
    elements: Reader<'a>,
}

impl<'a> Array<'a> {
    pub(super) fn new(kind: Kind, len: usize, elements: Reader<'a>) -> Self {
        Self { kind, len, elements }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, in order.
    pub fn iter(&self) -> Elements<'a> {
        Elements(self.clone())
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Checks every element and returns a cursor behind the last one.
    pub(super) fn skip(mut self) -> Result<Reader<'a>> {
        if matches!(self.kind, Kind::Bool | Kind::Str) {
            for _ in 0..self.len {
                self.elements.value(self.kind)?;
            }
        } else {
            // Numbers have no wrong values; `Reader::value` has checked that they fit into the file.
            self.elements.take(self.len * self.kind.least_bytes(), "an array")?;
        }
        Ok(self.elements)
    }
}

impl<'a> IntoIterator for &Array<'a> {
    type Item = Value<'a>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

impl fmt::Display for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        f.write_str("[")?;
        for (i, value) in self.iter().take(SHOWN).enumerate() {
            write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
        }
        if self.len > SHOWN { write!(f, ", …] ({} × {})", self.len, self.kind.name()) } else { f.write_str("]") }
    }
}

/// Iterator over an [`Array`].
#[derive(Clone)]
pub struct Elements<'a>(Array<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.0.len = self.0.len.checked_sub(1)?;
        // Checked when the file was opened: an error here means that somebody has since changed the file.
        self.0.elements.value(self.0.kind).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len, Some(self.0.len))
    }
}

impl ExactSizeIterator for Elements<'_> {}
