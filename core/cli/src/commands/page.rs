//! A comparison as a page for a browser: one file, which loads nothing.

use crate::failure::Failure;
use kinglet::tokenizer::Tokenizer;
use kinglet::trace::{F16_MAX, Report};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The page; the data takes the place of [`PLACE`].
const PAGE: &str = include_str!("page.html");
const PLACE: &str = "/*data*/null";

#[derive(Serialize)]
struct Data<'a> {
    model: String,
    model_sha256: &'a str,
    f16_max: f32,
    report: &'a Report,
    /// WGSL by kernel.
    kernels: &'a BTreeMap<String, String>,
    /// Texts of the tokens that are shown.
    pieces: BTreeMap<u32, String>,
}

/// Writes the page.
pub fn write(
    path: &Path,
    model: &Path,
    report: &Report,
    model_sha256: &str,
    tokenizer: &Tokenizer,
) -> Result<(), Failure> {
    let tokens = &report.tokens;
    let best = tokens.top_a.iter().chain(&tokens.top_b).map(|token| token.id);
    let ids = tokens.a.iter().chain(&tokens.b).copied().chain(best);
    let model = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy().into_owned();
    let pieces = ids.map(|id| (id, super::piece(tokenizer, id))).collect();
    let data = Data { model, model_sha256, f16_max: F16_MAX, report, kernels: &report.kernels, pieces };
    let json = serde_json::to_string(&data).map_err(|error| Failure::Output(error.into()))?;
    // Nothing in it may end the script that it stands in.
    let page = PAGE.replacen(PLACE, &json.replace('<', "\\u003c"), 1);
    std::fs::write(path, page).map_err(|source| Failure::write(path, &source))
}
