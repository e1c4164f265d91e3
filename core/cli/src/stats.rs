//! The facts of a run: an object for machines, a line for people.

use crate::output;
use kinglet::engine::Engine;
use kinglet::stats::Stats;
use serde::Serialize;

/// The JSON object `stats`.
#[derive(Serialize)]
pub struct Facts {
    prompt_tokens: usize,
    cached_tokens: usize,
    tokens: usize,
    ttft_ms: Option<f64>,
    prefill_tps: Option<f64>,
    decode_tps: Option<f64>,
    peak_rss_bytes: Option<u64>,
    device: &'static str,
}

impl From<&Stats> for Facts {
    fn from(stats: &Stats) -> Self {
        Self {
            prompt_tokens: stats.prompt_tokens,
            cached_tokens: stats.cached_tokens,
            tokens: stats.tokens,
            ttft_ms: stats.ttft_ms,
            prefill_tps: stats.prefill_tps,
            decode_tps: stats.decode_tps,
            peak_rss_bytes: stats.peak_rss_bytes,
            device: stats.device,
        }
    }
}

/// One line for people.
pub fn line(stats: &Stats, engine: &Engine) -> String {
    let known = if stats.cached_tokens > 0 { format!(" ({} known)", stats.cached_tokens) } else { String::new() };
    let mut facts = vec![format!("{} prompt tokens{known}", stats.prompt_tokens)];
    facts.extend(stats.ttft_ms.map(|ms| format!("first token after {ms:.0} ms")));
    facts.extend(stats.prefill_tps.map(|tps| format!("prefill {} tokens/s", output::rate(tps))));
    facts.push(format!("{} tokens", stats.tokens));
    facts.extend(stats.decode_tps.map(|tps| format!("decode {} tokens/s", output::rate(tps))));
    facts.extend(stats.peak_rss_bytes.map(|peak| format!("{} peak", output::bytes(peak as usize))));
    facts.extend(stats.switched.iter().map(|s| format!("left the {} after {} tokens: {}", s.from, s.at_token, s.why)));
    facts.push(device(engine));
    facts.extend(stats.stop.map(|stop| format!("stopped: {stop}")));
    facts.join(", ")
}

/// What runs a model, for people and for figures that must say it.
pub fn device(engine: &Engine) -> String {
    let device = engine.device();
    if device.detail.is_empty() { device.kind.into() } else { format!("{} ({})", device.kind, device.detail) }
}
