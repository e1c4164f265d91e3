//! Everything that goes to standard output, flushed as it is written; and the small formats that people read.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// Writes text as it is.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Writes text and ends the line.
pub fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// Writes one JSON object on a line of its own.
pub fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let json = serde_json::to_string(value).map_err(|error| Failure::Output(error.into()))?;
    line(&json)
}

/// The JSON form of an error.
pub fn error(kind: &str, message: &str) -> Result<(), Failure> {
    json(&serde_json::json!({"error": {"kind": kind, "message": message}}))
}

/// Bytes in a unit that people read.
pub fn bytes(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// A rate with as many digits as matter; a dash where there was nothing to measure.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second <= 0.0 {
        "-".into()
    } else if per_second < 100.0 {
        format!("{per_second:.1}")
    } else {
        format!("{per_second:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, rate};

    #[test]
    fn units() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(253_113_024), "253.1 MB");
        assert_eq!(bytes(4_000_000_000), "4.00 GB");
        assert_eq!(rate(0.0), "-");
        assert_eq!(rate(f64::NAN), "-");
        assert_eq!(rate(12.345), "12.3");
        assert_eq!(rate(1234.5), "1234");
    }
}
