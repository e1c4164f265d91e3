//! Facts of one generation, for people and benchmarks.

use crate::backend::Switch;
use crate::generate::StopReason;

/// What a generation took. Times are wall-clock.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Stats {
    /// Tokens of the prompt, those that the session already held among them.
    pub prompt_tokens: usize,
    /// How many of them the session already held.
    pub cached_tokens: usize,
    /// Tokens generated.
    pub tokens: usize,
    /// From the call to the first token, in milliseconds; `None` where none came.
    pub ttft_ms: Option<f64>,
    /// Prompt tokens fed per second; `None` where none were.
    pub prefill_tps: Option<f64>,
    /// Tokens per second after the first; `None` where fewer than two came.
    pub decode_tps: Option<f64>,
    /// The process's largest resident set so far, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// `reference`, `cpu` or `gpu`.
    pub device: &'static str,
    /// Devices that were given up on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switched: Vec<Switched>,
    /// Why it ended; `None` while it goes on.
    pub stop: Option<StopReason>,
}

/// A device was given up during a generation, which went on on another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Switched {
    /// Tokens of the answer that were there before.
    pub at_token: usize,
    /// The kind of the device that failed, or that may not work now.
    pub from: &'static str,
    /// The kind of the device that went on.
    pub to: &'static str,
    /// What was wrong.
    pub why: String,
}

impl Switched {
    /// After so many tokens.
    pub(crate) fn new(at_token: usize, switch: Switch) -> Self {
        let Switch { from, to, why, .. } = switch;
        Self { at_token, from, to, why }
    }
}

/// The largest resident set that this process has had, in bytes. Linux and Android only (`VmHWM`, proc(5)).
pub fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_grows_with_what_is_touched() {
        let before = peak_rss_bytes().unwrap();
        let block = vec![1u8; 64 << 20];
        assert!(block.iter().map(|&b| u64::from(b)).sum::<u64>() == 64 << 20);
        let after = peak_rss_bytes().unwrap();
        assert!(after >= before && after >= 64 << 20, "{before} -> {after}");
    }
}
