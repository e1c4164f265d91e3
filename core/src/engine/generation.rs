//! A stream of text: feed, sample, decode, stop. Pulled, never pushed.

use super::Session;
use crate::backend::{Best, Cancel, FEW, Want};
use crate::generate::{Constraint, Sampler, Sampling, StopReason, StopStrings};
use crate::stats::{Stats, Switched, peak_rss_bytes};
use crate::tokenizer::Decoder;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// Some text of an answer: whole characters, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// The token that completed it. One token may complete nothing, so pieces are fewer than
    /// [`ids`](Generation::ids).
    pub id: u32,
}

/// An answer on its way: an iterator of pieces. Dropping it leaves the session usable.
///
/// When it ends, [`stop`](Self::stop) says why. The session then holds the prompt and all ids of the answer but the
/// last, which nothing has needed yet. After an error the iterator gives nothing more.
pub struct Generation<'s> {
    session: &'s mut Session,
    sampler: Sampler,
    constraint: Option<&'s mut dyn Constraint>,
    decoder: Decoder,
    stops: StopStrings,
    cancel: Cancel,
    max_tokens: usize,
    min_tokens: usize,
    /// Ids that end a text, if they may not always be chosen.
    ends: Vec<u32>,
    /// The logits that choosing needs.
    want: Want,
    /// Ids to be fed before the next token: the prompt, then the last token.
    pending: Vec<u32>,
    ids: Vec<u32>,
    logits: Vec<f32>,
    stop: Option<StopReason>,
    switched: Vec<Switched>,
    /// Devices that the engine had given up when this began.
    switches: usize,
    done: bool,
    cached_tokens: usize,
    fed_tokens: usize,
    prefill: Duration,
    first: Duration,
    decode: Duration,
}

impl<'s> Generation<'s> {
    pub(super) fn new(
        session: &'s mut Session,
        prompt: &[u32],
        sampling: &Sampling,
        constraint: Option<&'s mut dyn Constraint>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let engine = session.engine().clone();
        let sampler = Sampler::new(sampling, engine.vocab())?;
        session.check(prompt)?;
        if prompt.is_empty() && session.logits().is_empty() {
            let what = "is empty, and the session has nothing to continue; give at least one token (bos will do)";
            return Err(Error::Option { name: "prompt".into(), what: what.into() });
        }
        let tokenizer = engine.tokenizer();
        let ends = (0..engine.vocab() as u32).filter(|&id| sampling.min_tokens > 0 && tokenizer.is_end(id));
        let ends: Vec<u32> = ends.collect();
        let reach = if constraint.is_some() { None } else { sampling.reach() };
        let best = reach.map(|best| Best { count: best.count + ends.len(), ..best });
        let want = best.filter(|best| best.count <= FEW).map_or(Want::Last, Want::Best);
        Ok(Self {
            sampler,
            constraint,
            decoder: Decoder::new(tokenizer).hiding_control(),
            stops: StopStrings::new(&sampling.stop),
            cancel: cancel.clone(),
            max_tokens: sampling.max_tokens,
            min_tokens: sampling.min_tokens,
            ends,
            want,
            pending: prompt.to_vec(),
            ids: Vec::with_capacity(sampling.max_tokens.min(session.room() + 1)),
            logits: Vec::with_capacity(engine.vocab()),
            stop: None,
            switched: Vec::new(),
            switches: engine.switches().len(),
            done: false,
            cached_tokens: session.ids().len(),
            fed_tokens: prompt.len(),
            prefill: Duration::ZERO,
            first: Duration::ZERO,
            decode: Duration::ZERO,
            session,
        })
    }

    /// The ids generated so far, control tokens and the one that ended the text among them.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Why it ended; `None` while it goes on, or after an error.
    pub fn stop(&self) -> Option<StopReason> {
        self.stop
    }

    /// The devices that were given up on the way: the answer went on elsewhere.
    pub fn switched(&self) -> &[Switched] {
        &self.switched
    }

    /// The session, for instance to look at its logits.
    pub fn session(&self) -> &Session {
        self.session
    }

    /// Ends the generation and gives the session back, for as long as it was lent.
    pub fn into_session(self) -> &'s mut Session {
        self.session
    }

    /// Facts so far. Only the generation's own time counts, not what the caller does between pieces.
    pub fn stats(&self) -> Stats {
        let per_second = |tokens: usize, time: Duration| {
            (tokens > 0 && time > Duration::ZERO).then(|| tokens as f64 / time.as_secs_f64())
        };
        Stats {
            prompt_tokens: self.cached_tokens + self.fed_tokens,
            cached_tokens: self.cached_tokens,
            tokens: self.ids.len(),
            ttft_ms: (!self.ids.is_empty()).then_some(self.first.as_secs_f64() * 1e3),
            prefill_tps: per_second(self.fed_tokens, self.prefill),
            decode_tps: per_second(self.ids.len().saturating_sub(1), self.decode),
            peak_rss_bytes: peak_rss_bytes(),
            device: self.session.engine().device().kind,
            switched: self.switched.clone(),
            stop: self.stop,
        }
    }

    /// Takes ids for part of the answer as far as the penalties go, for an answer that goes on from an earlier one.
    pub(crate) fn penalise(&mut self, ids: &[u32]) {
        ids.iter().for_each(|&id| self.sampler.accept(id));
    }

    /// All the text that is still to come.
    pub fn text(&mut self) -> Result<String> {
        let mut text = String::new();
        for piece in self {
            text.push_str(&piece?.text);
        }
        Ok(text)
    }

    /// Generates until there is text to give out, or no more.
    fn pull(&mut self) -> Result<Option<String>> {
        while self.stop.is_none() {
            let text = self.step()?;
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
        self.done = true;
        let rest = self.rest();
        Ok((!rest.is_empty()).then_some(rest))
    }

    /// One token, and the text that it lets through.
    pub(super) fn step(&mut self) -> Result<String> {
        let started = Instant::now();
        if self.constraint.as_ref().is_some_and(|c| c.is_done()) {
            self.stop = Some(StopReason::Constraint);
            return Ok(String::new());
        }
        if self.pending.is_empty() {
            // It continues what the session holds, whose logits another generation may have asked for.
            self.pending.extend(self.session.take_back(self.want)?);
        }
        match self
            .cancel
            .check()
            .and_then(|()| self.session.feed_for(&self.pending, self.want, &self.cancel).map(|_| ()))
        {
            Err(Error::Cancelled) => {
                self.stop = Some(StopReason::Cancelled);
                return Ok(String::new());
            }
            other => other?,
        }
        for switch in self.session.engine().switches().split_off(self.switches) {
            self.switches += 1;
            self.switched.push(Switched::new(self.ids.len(), switch));
        }
        let fed = started.elapsed();
        let id = self.choose()?;
        self.pending.clear();
        self.pending.push(id);
        self.ids.push(id);
        if self.ids.len() == 1 {
            self.prefill = fed;
            self.first = started.elapsed();
        } else {
            self.decode += started.elapsed();
        }
        self.take(id)
    }

    /// The next id, from the session's logits.
    fn choose(&mut self) -> Result<u32> {
        self.logits.clear();
        self.logits.extend_from_slice(self.session.logits());
        for &id in self.ends.iter().filter(|_| self.ids.len() < self.min_tokens) {
            if let Some(logit) = self.logits.get_mut(id as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
        if let Some(constraint) = &mut self.constraint {
            constraint.mask(&mut self.logits)?;
        }
        self.sampler.sample(&mut self.logits)
    }

    /// Takes note of an id; returns the text that it lets through and finds out whether it was the last.
    fn take(&mut self, id: u32) -> Result<String> {
        if self.session.engine().tokenizer().is_end(id) {
            self.stop = Some(StopReason::EndOfText);
            return Ok(String::new());
        }
        self.sampler.accept(id);
        if let Some(constraint) = &mut self.constraint {
            constraint.accept(id)?;
        }
        let (text, stopped) = self.stops.push(&self.decoder.push(id)?);
        if stopped {
            self.stop = Some(StopReason::StopString);
        } else if self.constraint.as_ref().is_some_and(|c| c.is_done()) {
            self.stop = Some(StopReason::Constraint);
        } else if self.ids.len() >= self.max_tokens {
            self.stop = Some(StopReason::MaxTokens);
        } else if self.session.room() == 0 {
            self.stop = Some(StopReason::ContextFull);
        }
        Ok(text)
    }

    /// What was held back, once it is clear that nothing follows.
    fn rest(&mut self) -> String {
        if self.stop == Some(StopReason::StopString) {
            return String::new();
        }
        let (mut text, stopped) = self.stops.push(&self.decoder.finish());
        if !stopped {
            text.push_str(&self.stops.finish());
        }
        text
    }
}

impl Iterator for Generation<'_> {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.pull() {
            Ok(text) => Some(Ok(Piece { text: text?, id: self.ids.last().copied()? })),
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}
