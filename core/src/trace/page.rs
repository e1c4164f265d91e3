//! A comparison as a page for a browser: one file, which loads nothing.

use super::{F16_MAX, Report};
use crate::Result;
use crate::tokenizer::Tokenizer;
use serde::Serialize;
use std::collections::BTreeMap;

/// The page; the data takes the place of [`PLACE`].
const PAGE: &str = include_str!("page.html");
const PLACE: &str = "/*data*/null";

#[derive(Serialize)]
struct Data<'a> {
    model: &'a str,
    model_sha256: &'a str,
    f16_max: f32,
    report: &'a Report,
    /// WGSL by kernel.
    kernels: &'a BTreeMap<String, String>,
    /// Texts of the tokens that are shown.
    pieces: BTreeMap<u32, String>,
}

/// The page of a report about the model of that name. Texts of tokens are in it where their ids are in the report.
///
/// # Errors
/// [`Error::Report`](crate::Error::Report) where the report cannot be written as JSON.
pub fn page(report: &Report, model: &str, model_sha256: &str, tokenizer: &Tokenizer) -> Result<String> {
    let tokens = &report.tokens;
    let best = tokens.top_a.iter().chain(&tokens.top_b).map(|token| token.id);
    let ids = tokens.a.iter().chain(&tokens.b).copied().chain(best);
    let pieces = ids.map(|id| (id, tokenizer.piece_text(id))).collect();
    let data = Data { model, model_sha256, f16_max: F16_MAX, report, kernels: &report.kernels, pieces };
    let json = serde_json::to_string(&data).map_err(|error| crate::Error::Report {
        field: "the report".into(),
        what: format!("cannot be written as JSON: {error}"),
    })?;
    // Nothing in it may end the script that it stands in.
    Ok(PAGE.replacen(PLACE, &json.replace('<', "\\u003c"), 1))
}
