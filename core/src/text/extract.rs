//! Named fields of a text, as JSON that is always valid and has exactly those fields.
//!
//! The names, quotes and commas are written for the model; it chooses only each value, inside a [`form`](super::form).

use super::form::{Form, Value, parse, write};
use super::meter::Meter;
use super::prefix::Prefix;
use super::prompt::{Prompt, parts};
use super::summarize::limit;
use super::{Ordered, check_names};
use crate::generate::StopReason;
use crate::tokenizer::Special;
use crate::{Cancel, Error, Result, Session, Stats};
use serde::Serialize;
use std::time::Instant;

/// What to extract.
#[derive(Clone, Debug)]
pub struct Extract {
    /// The fields' names: words that say what is looked for.
    pub fields: Vec<String>,
    /// Whether values must stand in the text, letter by letter but for white space. Default on: what small models make up is then at
    /// least not invented. Off, a value may be put in other words.
    pub verbatim: bool,
    /// The most tokens of a value; a longer one is cut. Default 40.
    pub max_tokens: usize,
}

impl Extract {
    /// These fields, copied from the text.
    pub fn new<S: Into<String>>(fields: impl IntoIterator<Item = S>) -> Self {
        Self { fields: fields.into_iter().map(Into::into).collect(), verbatim: true, max_tokens: 40 }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extraction {
    /// Each field asked for, in that order; `None` (JSON null) where the text does not say, and for an empty text.
    pub fields: Ordered<Option<String>>,
    /// Parts that the text was split into; a field's first value counts.
    pub parts: usize,
    /// What it took.
    pub stats: Stats,
}

/// Bytes of a value.
const LONGEST: usize = 400;
/// Fields and their names, all together, in tokens.
const MOST: usize = 1024;

/// Finds fields in a text, greedily. A text longer than the context is read in parts until all fields are found;
/// cancelled between tokens, the fields found so far are returned and `stats.stop` says so.
///
/// # Errors
/// [`Error::Option`] for no fields, one without a name, or two of one name, and where the context is too small.
pub fn extract(session: &mut Session, text: &str, options: &Extract, cancel: &Cancel) -> Result<Extraction> {
    check_names("fields", &options.fields)?;
    if options.max_tokens == 0 {
        return Err(Error::Option { name: "max_tokens".into(), what: "is 0; give at least 1".into() });
    }
    let engine = session.engine().clone();
    let prompt = Prompt {
        instruction: format!(
            "Extract these fields from the text as JSON: {}. Copy each value from the text. Use null for what the text does not say.",
            options.fields.join(", ")
        ),
        input: "Text",
        output: "JSON",
        one_turn: true,
        ..Prompt::default()
    };
    let frame = engine.tokenizer().encode(&options.fields.join(" "), Special::Plain)?.len() + 6 * options.fields.len();
    if frame > MOST {
        let what = format!("take {frame} tokens; ask for fewer at a time (at most {MOST})");
        return Err(Error::Option { name: "fields".into(), what });
    }
    let answer = options.fields.len().saturating_mul(options.max_tokens).saturating_add(frame);
    // Values rarely take all they may; most of the context is kept for the text whatever they may take.
    let limit = limit(&engine, &prompt, answer.min(engine.context() / 3))?;
    let parts = parts(&engine, text, limit)?;
    let mut found: Vec<Option<String>> = vec![None; options.fields.len()];
    let mut meter = Meter::new(&engine);
    let mut prefix = Prefix::new(&engine, [prompt.beginning(&engine)?], parts.len() > 1);
    for part in &parts {
        let ids = prompt.encode(&engine, part)?;
        let mut filled = || -> Result<()> {
            let before = found.clone();
            fill(session, &ids, part, options, &mut prefix, &mut meter, cancel, &mut found)?;
            if session.audit(cancel)? {
                found = before;
                fill(session, &ids, part, options, &mut prefix, &mut meter, cancel, &mut found)?;
            }
            Ok(())
        };
        match filled() {
            Err(Error::Cancelled) => {
                meter.stop = Some(StopReason::Cancelled);
                break;
            }
            other => other?,
        }
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    let fields = Ordered(options.fields.iter().cloned().zip(found).collect());
    Ok(Extraction { fields, parts: parts.len(), stats: meter.stats() })
}

/// Writes one object, and keeps what nothing was found for before.
fn fill(
    session: &mut Session,
    prompt: &[u32],
    text: &str,
    options: &Extract,
    prefix: &mut Prefix,
    meter: &mut Meter,
    cancel: &Cancel,
    found: &mut [Option<String>],
) -> Result<()> {
    let engine = session.engine().clone();
    let tokenizer = engine.tokenizer();
    let piece = |id: u32| {
        let usable = !tokenizer.is_hidden(id) && !tokenizer.is_end(id);
        usable.then(|| tokenizer.piece(id).ok().map(std::borrow::Cow::into_owned)).flatten()
    };
    // A value may run over the end of a line.
    let source = options.verbatim.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let wanted: Vec<usize> = (0..found.len()).filter(|&i| found[i].is_none()).collect();
    let before = |nth: usize| -> Result<String> {
        let name = wanted.get(nth).and_then(|&i| options.fields.get(i));
        let open = if nth == 0 { "{" } else { ", " };
        name.map_or(Ok("}".to_owned()), |name| Ok(format!("{open}\"{}\":", inside(name)?)))
    };

    let mut since = Instant::now();
    let (held, mut cached) = prefix.enter(session, prompt, cancel)?;
    let mut pending = prompt[held..].to_vec();
    let mut counted = prompt.len();
    // What the last value's token has written beyond the value.
    let mut written = String::new();
    for (nth, &field) in wanted.iter().enumerate() {
        // What stands between values is fed at once, like a prompt.
        let between = before(nth)?;
        let frame = tokenizer.encode(between.strip_prefix(written.as_str()).unwrap_or(&between), Special::Plain)?;
        counted += frame.len();
        pending.extend(frame);
        if pending.len() >= session.room() {
            meter.stop = Some(StopReason::ContextFull);
            return Ok(());
        }
        session.feed(&pending, cancel)?;
        meter.prompt(counted, cached, since.elapsed());
        let after = before(nth + 1)?;
        let form = Form { source: source.as_deref(), longest: LONGEST, after: &after };
        let most = options.max_tokens.min(session.room());
        since = Instant::now();
        let mut tokens = 0;
        let value = write(&form, most, session.logits().to_vec(), &piece, &mut |id| {
            session.feed(&[id], cancel)?;
            tokens += 1;
            Ok(session.logits().to_vec())
        })?;
        meter.first();
        meter.decoded(tokens + usize::from(value.last.is_some()), since.elapsed());
        found[field] = parse(&value.bytes);
        (since, cached, counted) = (Instant::now(), 0, 0);
        pending.clear();
        pending.extend(value.last);
        let close = form.close(&value.bytes);
        if !close.is_empty() {
            let ids = tokenizer.encode(close, Special::Plain)?;
            counted += ids.len();
            pending.extend(ids);
        }
        written = match form.read(&value.bytes) {
            Some(Value::Done(len)) => String::from_utf8_lossy(value.bytes.get(len..).unwrap_or_default()).into_owned(),
            _ => String::new(),
        };
    }
    meter.stop.get_or_insert(StopReason::Constraint);
    Ok(())
}

/// Text as the inside of a JSON string.
fn inside(text: &str) -> Result<String> {
    let json = serde_json::to_string(text).map_err(|error| Error::Constraint(error.to_string()))?;
    Ok(json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default().to_owned())
}
