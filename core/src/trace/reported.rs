//! A report as somebody sent it: what a replay reads of it. None of it is trusted.

use super::{Class, Reproducer, Side};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a replay reads of a report.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Of the model's file, as hexadecimal digits.
    pub model_sha256: String,
    /// `isolated` or `drift`.
    pub mode: String,
    /// The node that is wrong on one of the sides.
    pub first_bad: Suspect,
    /// The side that was taken to be right.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// The node's inputs and outputs, where the report has them.
    pub replay: Option<Reproducer>,
}

/// The node that is wrong on one of the sides.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// Its name.
    pub node: String,
    /// What kind of wrong it was taken for.
    pub class: Class,
    /// The kernels that computed it on side B, if that is a GPU.
    pub kernel: Option<String>,
    /// Milliseconds on side B.
    pub ms: Option<f64>,
    /// What side B said instead of a value.
    pub error: Option<String>,
}

impl Reported {
    /// The longest text that is read.
    pub const LONGEST: usize = 8 << 20;

    /// Reads what `kinglet diverge --json` prints and what [`DivergenceReport`](crate::DivergenceReport) is as JSON.
    ///
    /// # Errors
    /// [`Error::Report`] with the field that is missing or wrong, and where the report found no node to be wrong.
    pub fn read(json: &str) -> Result<Self> {
        if json.len() > Self::LONGEST {
            let what = format!("{} bytes, where none needs more than {}", json.len(), Self::LONGEST);
            return Err(wrong("its length", what));
        }
        let all: Value = serde_json::from_str(json).map_err(|error| wrong("its JSON", error))?;
        let mut all = Fields::of("", all)?;
        let suspect = Fields::optional("first_bad.", all.take("first_bad")?)?;
        let mut suspect = suspect.ok_or_else(|| wrong("first_bad", "nothing: no node was found to be wrong"))?;
        let replay = Fields::optional("replay.", all.take("replay")?)?.map(reproducer).transpose()?;
        let reported = Self {
            model_sha256: all.take("model_sha256")?,
            mode: all.take("mode")?,
            first_bad: Suspect {
                node: suspect.take("node")?,
                class: suspect.take("class")?,
                kernel: suspect.take("kernel")?,
                ms: suspect.take("ms")?,
                error: suspect.take("error")?,
            },
            a: all.take("a")?,
            b: all.take("b")?,
            prompt_tokens: all.take("prompt_tokens")?,
            replay,
        };
        match &reported.replay {
            Some(replay) if replay.node != reported.first_bad.node => {
                Err(wrong("first_bad.node", "another node than replay.node"))
            }
            _ => Ok(reported),
        }
    }
}

fn reproducer(mut fields: Fields<'_>) -> Result<Reproducer> {
    Ok(Reproducer {
        node: fields.take("node")?,
        position: fields.take("position")?,
        tokens: fields.take("tokens")?,
        wanted: fields.take("wanted")?,
        ids: fields.take("ids")?,
        rows: fields.take("rows")?,
        columns: fields.take("columns")?,
        inputs: fields.take("inputs")?,
        cache: fields.take("cache")?,
        a: fields.take("a")?,
        b: fields.take("b")?,
    })
}

/// The fields of an object, taken one by one so that each error names its own.
struct Fields<'a> {
    /// What their names begin with.
    of: &'a str,
    map: Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(of: &'a str, value: Value) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self { of, map }),
            _ => Err(wrong(if of.is_empty() { "its JSON" } else { of.trim_end_matches('.') }, "no object")),
        }
    }

    fn optional(of: &'a str, value: Value) -> Result<Option<Self>> {
        if value.is_null() { Ok(None) } else { Self::of(of, value).map(Some) }
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        let Some(value) = self.map.remove(name) else {
            // What may be absent is null then.
            return serde_json::from_value(Value::Null).map_err(|_| wrong(&format!("{}{name}", self.of), "missing"));
        };
        serde_json::from_value(value).map_err(|error| wrong(&format!("{}{name}", self.of), error))
    }
}

/// What is wrong with a field of a report.
pub(super) fn wrong(field: &str, what: impl std::fmt::Display) -> Error {
    Error::Report { field: field.into(), what: what.to_string() }
}
