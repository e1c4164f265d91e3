//! A JSON string or null, written by a model one token at a time.
//!
//! The form is fixed and tiny, so it is checked on the bytes themselves, and only for tokens that would be chosen: no
//! table over the vocabulary is built.

use crate::Result;

/// What the bytes after a field's colon are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// The beginning of a value.
    Open,
    /// Complete, the first so many bytes of it.
    Done(usize),
}

/// What values may be.
pub(super) struct Form<'a> {
    /// The text that values must be copied from, if they must.
    pub source: Option<&'a str>,
    /// Bytes of a value's inside.
    pub longest: usize,
    /// What follows a value; a token may run on into it.
    pub after: &'a str,
}

impl Form<'_> {
    /// What `bytes` are, or `None` if no value begins like that.
    pub fn read(&self, bytes: &[u8]) -> Option<Value> {
        let start = bytes.iter().take_while(|&&b| b == b' ').count();
        if start > 1 {
            return None;
        }
        let value = &bytes[start..];
        let run_on = |rest: &[u8], len| self.after.as_bytes().starts_with(rest).then_some(Value::Done(start + len));
        if let Some(inside) = value.strip_prefix(b"\"") {
            let Some(end) = closing_quote(inside)? else { return self.inside(inside).then_some(Value::Open) };
            let whole = self.inside(&inside[..end]) && parse(&value[..end + 2]).is_some();
            return whole.then(|| run_on(&inside[end + 1..], end + 2)).flatten();
        }
        if let Some(rest) = value.strip_prefix(b"null") {
            return run_on(rest, 4);
        }
        b"null".starts_with(value).then_some(Value::Open)
    }

    /// What makes a value of one that broke off.
    pub fn close(&self, bytes: &[u8]) -> &'static str {
        match (self.read(bytes), bytes.trim_ascii_start()) {
            (Some(Value::Done(_)), _) => "",
            (_, value) if value.starts_with(b"\"") => "\"",
            (_, value) => "null".get(value.len()..).unwrap_or_default(),
        }
    }

    /// Whether a string may hold this, or go on from it.
    fn inside(&self, inside: &[u8]) -> bool {
        // The last character may not be complete yet.
        let valid = std::str::from_utf8(inside).map_or_else(|error| error.error_len().is_none(), |_| true);
        valid && inside.len() <= self.longest && self.source.is_none_or(|source| stands_in(source, &unescape(inside)))
    }
}

/// Whether a copied value may begin like that.
fn stands_in(source: &str, part: &[u8]) -> bool {
    let space = part.first().is_some_and(u8::is_ascii_whitespace);
    !space && (part.is_empty() || source.as_bytes().windows(part.len()).any(|window| window == part))
}

/// What a string's inside says; half an escape at the end says nothing.
fn unescape(inside: &[u8]) -> Vec<u8> {
    let mut bytes = inside.iter();
    let mut said = Vec::with_capacity(inside.len());
    while let Some(&byte) = bytes.next() {
        match (byte, if byte == b'\\' { bytes.next() } else { None }) {
            (b'\\', None) => {}
            (_, Some(b'b')) => said.push(8),
            (_, Some(b'f')) => said.push(12),
            (_, Some(b'n')) => said.push(b'\n'),
            (_, Some(b'r')) => said.push(b'\r'),
            (_, Some(b't')) => said.push(b'\t'),
            (_, Some(&escaped)) => said.push(escaped),
            (byte, None) => said.push(byte),
        }
    }
    said
}

/// Where an unescaped quote ends a string's inside; `Some(None)` if nowhere yet; `None` for what no string holds.
#[allow(clippy::option_option, reason = "the two kinds of nothing are the answer")]
fn closing_quote(inside: &[u8]) -> Option<Option<usize>> {
    let mut bytes = inside.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some(Some(at)),
            // `\u` is left out: whatever it could say, plain characters can.
            b'\\' => match bytes.next() {
                Some((_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) | None => {}
                Some(_) => return None,
            },
            0..0x20 => return None,
            _ => {}
        }
    }
    Some(None)
}

/// The value that bytes of [`Form::read`] stand for, complete or not; `None` is null.
pub(super) fn parse(bytes: &[u8]) -> Option<String> {
    let inside = bytes.trim_ascii_start().strip_prefix(b"\"")?;
    let quote = closing_quote(inside).flatten();
    let (end, closed) = (quote.unwrap_or(inside.len()), quote.is_some());
    let said = unescape(inside.get(..end)?);
    // Half a character at the end does not count, unless the string is complete: then there is none.
    let text = match std::str::from_utf8(&said) {
        Ok(text) => text,
        Err(_) if closed => return None,
        Err(error) => std::str::from_utf8(said.get(..error.valid_up_to())?).ok()?,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What [`write`] wrote.
pub(super) struct Written {
    /// All of it, for [`parse`].
    pub bytes: Vec<u8>,
    /// The last token, which `after` was not asked about.
    pub last: Option<u32>,
    /// Whether the value is complete.
    pub done: bool,
}

/// A value. `after` gives the logits that follow a token; `piece` gives a token's bytes, or nothing for a token that
/// may not come. Ends after `most` tokens at the latest, and where no token fits.
///
/// Greedy: always the most probable token that the form allows.
pub(super) fn write(
    form: &Form<'_>,
    most: usize,
    mut logits: Vec<f32>,
    piece: &dyn Fn(u32) -> Option<Vec<u8>>,
    after: &mut dyn FnMut(u32) -> Result<Vec<f32>>,
) -> Result<Written> {
    let mut written = Written { bytes: Vec::new(), last: None, done: false };
    for _ in 0..most {
        if let Some(id) = written.last.take() {
            logits = after(id)?;
        }
        let Some((id, longer, value)) = choose(form, &written.bytes, &logits, piece) else { break };
        written = Written { bytes: longer, last: Some(id), done: value != Value::Open };
        if written.done {
            break;
        }
    }
    Ok(written)
}

/// The most probable token that the form allows after `bytes`, the bytes with it, and what they are then.
fn choose(
    form: &Form<'_>,
    bytes: &[u8],
    logits: &[f32],
    piece: &dyn Fn(u32) -> Option<Vec<u8>>,
) -> Option<(u32, Vec<u8>, Value)> {
    let mut best: Option<(f32, (u32, Vec<u8>, Value))> = None;
    for (id, &logit) in logits.iter().enumerate() {
        // Only a better token is worth a look, which few are.
        if best.as_ref().is_some_and(|(most, _)| logit <= *most) || !logit.is_finite() {
            continue;
        }
        let Some(piece) = piece(id as u32).filter(|piece| !piece.is_empty()) else { continue };
        let longer = [bytes, &piece].concat();
        if let Some(value) = form.read(&longer) {
            best = Some((logit, (id as u32, longer, value)));
        }
    }
    best.map(|(_, best)| best)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const FREE: Form<'_> = Form { source: None, longest: 40, after: ", \"b\":" };

    #[test]
    fn values_are_told_from_what_is_none() {
        for (bytes, value) in [
            ("", Some(Value::Open)),
            (" nu", Some(Value::Open)),
            ("null", Some(Value::Done(4))),
            (" \"a b\", \"", Some(Value::Done(6))),
            ("\"a\\\"", Some(Value::Open)),
            ("\"a\"}", None),
            ("\"\"", None),
            ("\" \"", None),
            ("\"a\nb", None),
            ("\"a\\x", None),
            ("none", None),
            ("nullx", None),
            ("  null", None),
        ] {
            assert_eq!(FREE.read(bytes.as_bytes()), value, "{bytes}");
        }
        assert_eq!(FREE.read(b"\"\xe2\x82"), Some(Value::Open));
        assert_eq!(FREE.read(b"\"\xe2\""), None);
        assert_eq!(FREE.read(b"\"\xff"), None);
    }

    #[test]
    fn copied_values_stand_in_the_text() {
        let form = Form { source: Some("Call \"Bo\" at 5 pm"), ..FREE };
        assert_eq!(form.read(b"\"\\\"Bo\\\"\""), Some(Value::Done(8)));
        assert_eq!(form.read(b"\"at 5\""), Some(Value::Done(6)));
        assert_eq!(form.read(b"\"at 6"), None);
    }

    #[test]
    fn unfinished_values_are_closed() {
        assert_eq!(parse(b" \"ab\\"), Some("ab".into()));
        assert_eq!(parse(b"\"ab\\\\"), Some("ab\\".into()));
        assert_eq!(parse(b"\"a\xe2\x82"), Some("a".into()));
        assert_eq!(parse(b"\" \xe2"), None);
        assert_eq!(parse(b" nul"), None);
        assert_eq!(parse(b""), None);
    }

    proptest! {
        /// Whatever a model wants, the value is one, short enough, and from the text if it must be.
        #[test]
        fn any_logits_make_a_value(seed: u64, most in 0_usize..60, copy: bool, closes: bool) {
            let source = "Müller, \"Anna\" 🐦 12 May \\n";
            let form = Form { source: copy.then_some(source), longest: 24, after: "}" };
            // All bytes as tokens, some longer ones, and ones that run over the end.
            let mut vocab: Vec<Vec<u8>> = (0..=255).map(|b| vec![b]).collect();
            for token in ["null", " null", " \"", "\"}", "Anna", "\\\"", "\\", "🐦", "é\"", "\",", "\"\"", "\\u00", "  "] {
                vocab.push(token.into());
            }
            let mut state = seed | 1;
            let mut random = |_| {
                let logits = (0..vocab.len()).map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 40) as f32 / 1e6
                });
                Ok(logits.collect::<Vec<f32>>())
            };
            let first = random(0).unwrap();
            let piece = |id: u32| vocab.get(id as usize).filter(|p| closes || !p.contains(&b'"')).cloned();
            let Written { bytes, done, .. } = write(&form, most, first, &piece, &mut random).unwrap();
            let value = parse(&bytes);
            if done {
                let Some(Value::Done(len)) = form.read(&bytes) else { return Err(TestCaseError::fail(format!("{bytes:?}"))) };
                let json: serde_json::Value = serde_json::from_slice(&bytes[..len]).unwrap();
                prop_assert_eq!(json.as_str().map(|s| s.trim().to_owned()), value.clone());
            }
            if let (Some(value), true) = (&value, copy) {
                prop_assert!(source.contains(value.as_str()), "{value:?}");
            }
        }
    }
}
