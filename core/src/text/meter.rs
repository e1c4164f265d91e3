//! What a task took, over all its runs of the model.

use crate::engine::Engine;
use crate::generate::StopReason;
use crate::stats::{Stats, Switched, peak_rss_bytes};
use std::time::{Duration, Instant};

/// Adds up runs.
pub(super) struct Meter {
    engine: Engine,
    /// Devices that the engine had given up when the last run ended.
    switches: usize,
    switched: Vec<Switched>,
    started: Instant,
    first: Option<Duration>,
    prompt: usize,
    cached: usize,
    prefill: Duration,
    tokens: usize,
    /// Tokens after the first of their run, which are the ones that decode time is for.
    later: usize,
    decode: Duration,
    pub stop: Option<StopReason>,
}

impl Meter {
    pub fn new(engine: &Engine) -> Self {
        let zero = Duration::ZERO;
        let (prompt, cached, tokens, later) = (0, 0, 0, 0);
        Self {
            engine: engine.clone(),
            switches: engine.switches().len(),
            switched: Vec::new(),
            started: Instant::now(),
            first: None,
            prompt,
            cached,
            prefill: zero,
            tokens,
            later,
            decode: zero,
            stop: None,
        }
    }

    /// The first token or text that the caller gets.
    pub fn first(&mut self) {
        self.first.get_or_insert_with(|| self.started.elapsed());
    }

    /// A prompt of `tokens`, `cached` of which the session held, fed since `since`.
    pub fn prompt(&mut self, tokens: usize, cached: usize, took: Duration) {
        self.prompt += tokens;
        self.cached += cached;
        self.prefill += took;
        self.switches(self.tokens);
    }

    /// Tokens generated one by one.
    pub fn decoded(&mut self, tokens: usize, took: Duration) {
        self.switches(self.tokens);
        self.tokens += tokens;
        self.later += tokens;
        self.decode += took;
    }

    /// Takes note of devices that were given up since the last run.
    fn switches(&mut self, at_token: usize) {
        for switch in self.engine.switches().split_off(self.switches) {
            self.switches += 1;
            self.switched.push(Switched::new(at_token, switch));
        }
    }

    /// A generation that began with the session holding what `prompt` has counted but for the last `fed` ids.
    pub fn generation(&mut self, stats: &Stats, fed: usize) {
        let seconds = |tokens: usize, rate: Option<f64>| {
            rate.filter(|r| *r > 0.0).map_or(Duration::ZERO, |r| Duration::from_secs_f64(tokens as f64 / r))
        };
        self.prefill += seconds(fed, stats.prefill_tps);
        let later = stats.tokens.saturating_sub(1);
        self.switches += stats.switched.len();
        self.switched
            .extend(stats.switched.iter().map(|s| Switched { at_token: self.tokens + s.at_token, ..s.clone() }));
        self.tokens += stats.tokens;
        self.later += later;
        self.decode += seconds(later, stats.decode_tps);
        self.stop = stats.stop;
    }

    pub fn stats(&self) -> Stats {
        let rate = |tokens: usize, time: Duration| {
            (tokens > 0 && time > Duration::ZERO).then(|| tokens as f64 / time.as_secs_f64())
        };
        Stats {
            prompt_tokens: self.prompt,
            cached_tokens: self.cached,
            tokens: self.tokens,
            ttft_ms: self.first.map(|time| time.as_secs_f64() * 1e3),
            prefill_tps: rate(self.prompt.saturating_sub(self.cached), self.prefill),
            decode_tps: rate(self.later, self.decode),
            peak_rss_bytes: peak_rss_bytes(),
            device: self.engine.device().kind,
            switched: self.switched.clone(),
            stop: self.stop,
        }
    }
}
