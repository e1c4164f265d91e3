//! A stream of text: feed, sample, decode, stop. Pulled, never pushed.

use super::Session;
use super::chooser::Chooser;
use crate::backend::{Best, Cancel, FEW, Want};
use crate::generate::{Constraint, Sampler, Sampling, StopReason, StopStrings};
use crate::guard::{self, Doubt, Sort, Wire};
use crate::stats::{Stats, Switched, peak_rss_bytes};
use crate::tokenizer::Decoder;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// An audit's first check comes after so many tokens, the next ones after twice as many each, and one at the end.
const FIRST_AUDIT: usize = 16;

/// Some text of an answer: whole characters. Empty only where it just takes text back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// So many of the characters (Unicode scalar values) given out last were wrong, and go before `text` is added: a
    /// GPU was found out, and the CPU says something else. 0 but for that one moment.
    pub take_back: usize,
    /// The text.
    pub text: String,
    /// The token that completed it. One token may complete nothing, so pieces are fewer than
    /// [`ids`](Generation::ids).
    pub id: u32,
}

impl Piece {
    /// Adds the piece to the text of those before it.
    pub fn add_to(&self, text: &mut String) {
        shorten(text, self.take_back);
        text.push_str(&self.text);
    }
}

/// Drops so many characters at a text's end.
pub(crate) fn shorten(text: &mut String, characters: usize) {
    if let Some(last) = characters.checked_sub(1) {
        let end = text.char_indices().nth_back(last).map_or(0, |(at, _)| at);
        text.truncate(end);
    }
}

/// An answer on its way: an iterator of pieces. Dropping it leaves the session usable.
///
/// When it ends, [`stop`](Self::stop) says why. The session then holds the prompt and all ids of the answer but the
/// last, which nothing has needed yet. After an error the iterator gives nothing more.
pub struct Generation<'s> {
    session: &'s mut Session,
    chooser: Chooser<'s>,
    decoder: Decoder,
    stops: StopStrings,
    cancel: Cancel,
    max_tokens: usize,
    min_tokens: usize,
    /// Whether a token that is nothing to read ends the text.
    ends_hidden: bool,
    /// How far a chosen token's logit may be from the best.
    slack: f32,
    /// The logits that choosing needs.
    want: Want,
    /// Where the session stood before the prompt.
    start: usize,
    prompt: Vec<u32>,
    /// Ids to be fed before the next token: the prompt, then the last token.
    pending: Vec<u32>,
    ids: Vec<u32>,
    /// There for as long as the device may be wrong.
    wire: Option<Wire>,
    /// Whether the device is to be checked without any doubt: it is new, or it is time again.
    audit: bool,
    /// The text given out, for as long as some of it may have to be taken back.
    shown: String,
    /// The right text so far, once another device begins it again and for as long as it is a beginning of `shown`.
    again: Option<String>,
    logits: Vec<f32>,
    stop: Option<StopReason>,
    switched: Vec<Switched>,
    /// Devices that the engine had given up when this began.
    switches: usize,
    done: bool,
    cached_tokens: usize,
    fed_tokens: usize,
    prefill: Duration,
    first: Option<Duration>,
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
        // The wire compares the best with the next.
        let least = if engine.may_take_back() { 2 } else { 1 };
        let best = reach.map(|best| Best { count: best.count.max(least) + ends.len(), ..best });
        let want = best.filter(|best| best.count <= FEW).map_or(Want::Last, Want::Best);
        Ok(Self {
            chooser: Chooser::new(sampler, constraint, ends, sampling.min_tokens),
            decoder: Decoder::new(tokenizer).hiding_control(),
            stops: StopStrings::new(&sampling.stop),
            cancel: cancel.clone(),
            max_tokens: sampling.max_tokens,
            min_tokens: sampling.min_tokens,
            ends_hidden: false,
            slack: sampling.temperature * guard::UNLIKELY,
            want,
            start: session.ids().len(),
            prompt: prompt.to_vec(),
            pending: prompt.to_vec(),
            wire: engine.may_take_back().then(Wire::default),
            audit: engine.is_time_for_an_audit(),
            shown: String::new(),
            again: None,
            ids: Vec::with_capacity(sampling.max_tokens.min(session.room() + 1)),
            logits: Vec::with_capacity(engine.vocab()),
            stop: None,
            switched: Vec::new(),
            switches: engine.switches().len(),
            done: false,
            cached_tokens: session.ids().len(),
            fed_tokens: prompt.len(),
            prefill: Duration::ZERO,
            first: None,
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
            ttft_ms: self.first.map(|time| time.as_secs_f64() * 1e3),
            prefill_tps: per_second(self.fed_tokens, self.prefill),
            decode_tps: per_second(self.ids.len().saturating_sub(1), self.decode),
            peak_rss_bytes: peak_rss_bytes(),
            device: self.session.engine().device().kind,
            switched: self.switched.clone(),
            stop: self.stop,
        }
    }

    /// For an answer that is text and nothing else: a model that goes on with control tokens or places of images has said
    /// what it had to say, and small ones then do so to the end.
    pub(crate) fn text_only(mut self) -> Self {
        self.ends_hidden = true;
        self
    }

    /// Takes ids for part of the answer as far as the penalties go, for an answer that goes on from an earlier one.
    pub(crate) fn penalise(&mut self, ids: &[u32]) {
        self.chooser.penalise(ids);
    }

    /// All the text that is still to come.
    pub fn text(&mut self) -> Result<String> {
        let mut text = String::new();
        for piece in self {
            piece?.add_to(&mut text);
        }
        Ok(text)
    }

    /// Generates until there is text to give out, or no more.
    fn pull(&mut self) -> Result<Option<Piece>> {
        loop {
            while self.stop.is_none() {
                let text = self.step()?;
                if let Some(piece) = self.give(text) {
                    return Ok(Some(piece));
                }
            }
            if !self.fails_at_the_end()? {
                break;
            }
            self.stop = None;
            self.begin_again()?;
        }
        self.done = true;
        let rest = self.rest();
        Ok(self.give(rest))
    }

    /// The text as the caller gets it, with what it has to take back for it.
    fn give(&mut self, text: String) -> Option<Piece> {
        // A new beginning that was cancelled at once has no ids.
        let id = self.ids.last().or(self.pending.last()).copied()?;
        let Some(mut again) = self.again.take() else {
            if self.wire.is_some() {
                self.shown.push_str(&text);
            }
            return (!text.is_empty()).then_some(Piece { take_back: 0, text, id });
        };
        again.push_str(&text);
        let ended = self.done || self.stop.is_some();
        if self.shown.starts_with(&again) && again.len() < self.shown.len() && !ended {
            // All of this is shown already.
            self.again = Some(again);
            return None;
        }
        let same: usize =
            self.shown.chars().zip(again.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let take_back = self.shown[same..].chars().count();
        let text = again.split_off(same);
        self.shown.clear();
        (take_back > 0 || !text.is_empty()).then_some(Piece { take_back, text, id })
    }

    /// One token, and the text that it lets through.
    pub(super) fn step(&mut self) -> Result<String> {
        match self.next_token() {
            Err(Error::Cancelled) => {
                self.stop = Some(StopReason::Cancelled);
                Ok(String::new())
            }
            other => other,
        }
    }

    fn next_token(&mut self) -> Result<String> {
        let started = Instant::now();
        if self.chooser.is_done() {
            self.stop = Some(StopReason::Constraint);
            return Ok(String::new());
        }
        if self.pending.is_empty() {
            // It continues what the session holds, whose logits another generation may have asked for.
            self.pending.extend(self.session.take_back(self.want)?);
        }
        self.cancel.check()?;
        self.session.feed_for(&self.pending, self.want, &self.cancel)?;
        if self.left_a_wrong_device() && !self.ids.is_empty() {
            self.begin_again()?;
            return Ok(String::new());
        }
        let fed = started.elapsed();
        self.logits.clear();
        self.logits.extend_from_slice(self.session.logits());
        let id = self.chooser.choose(&mut self.logits)?;
        self.pending.clear();
        self.pending.push(id);
        self.ids.push(id);
        if let Some(doubt) = self.doubt(id)
            && self.is_wrong(doubt)?
        {
            self.begin_again()?;
            return Ok(String::new());
        }
        if self.ids.len() == 1 {
            self.prefill = fed;
            // Unless a wrong device has given one before.
            self.first.get_or_insert_with(|| started.elapsed());
        } else {
            self.decode += started.elapsed();
        }
        self.take(id)
    }

    /// Takes note of devices that were given up; says whether one of them was wrong.
    fn left_a_wrong_device(&mut self) -> bool {
        let mut wrong = false;
        for switch in self.session.engine().switches().split_off(self.switches) {
            self.switches += 1;
            wrong |= switch.wrong;
            self.switched.push(Switched::new(self.ids.len(), switch));
        }
        if !self.switched.is_empty() {
            self.wire = None;
        }
        wrong
    }

    /// Why the id just chosen makes the device doubtful.
    fn doubt(&mut self, id: u32) -> Option<Doubt> {
        let wire = self.wire.as_mut()?;
        let tokenizer = self.session.engine().tokenizer();
        let doubt = wire.token(id, Sort::of(tokenizer, id), self.session.logits());
        let tokens = self.ids.len();
        let routine = self.audit && tokens >= FIRST_AUDIT && tokens.is_power_of_two();
        doubt.or_else(|| routine.then_some(Doubt::Routine))
    }

    /// The last of an audit's checks, once it is clear that nothing follows.
    fn fails_at_the_end(&mut self) -> Result<bool> {
        if !std::mem::take(&mut self.audit) || self.wire.is_none() || self.stop == Some(StopReason::Cancelled) {
            return Ok(false);
        }
        match self.is_wrong(Doubt::Routine) {
            Err(Error::Cancelled) => Ok(false),
            other => other,
        }
    }

    /// Settles a doubt. A device that is wrong is given up.
    fn is_wrong(&mut self, doubt: Doubt) -> Result<bool> {
        let engine = self.session.engine().clone();
        let Some(answered) = self.ids.len().checked_sub(1) else { return Ok(false) };
        let Some(mut witness) = engine.witness(&self.cancel)? else { return Ok(false) };
        let before = self.session.ids().len() - answered;
        let answer = guard::Answer {
            before: &self.session.ids()[..before],
            ids: &self.ids,
            logits: self.session.logits(),
            activations: engine.activations(),
            slack: self.slack,
        };
        let sampler = self.chooser.restart()?;
        let chooser = &mut self.chooser;
        let mut accepted = 0;
        let verdict = guard::judge(
            witness.as_mut(),
            &answer,
            &mut |logits, id| {
                chooser.adjust(logits)?;
                accepted += 1;
                // The last id is not yet taken.
                if accepted <= answered { chooser.accept(id) } else { Ok(()) }
            },
            &self.cancel,
        )?;
        match verdict {
            None => {
                self.chooser.resume(sampler);
                log::info!("{doubt}: the cpu says the same");
                if let Some(wire) = &mut self.wire {
                    wire.cleared();
                }
                Ok(false)
            }
            Some(why) => {
                let device = engine.device().kind;
                engine.distrust(Error::Distrusted { device, why: format!("{why} ({doubt})") }, witness)?;
                Ok(true)
            }
        }
    }

    /// Begins the answer again, on a device that is right.
    fn begin_again(&mut self) -> Result<()> {
        self.left_a_wrong_device();
        // Without a prompt the logits were the wrong device's, so that one token has to be fed again.
        let keep = if self.prompt.is_empty() { self.start.saturating_sub(1) } else { self.start };
        let held = self.session.ids()[..self.start].to_vec();
        let keep = match self.session.truncate(keep) {
            Err(Error::Rollback { .. }) => self.session.reset().map(|()| 0)?,
            other => other.map(|()| keep)?,
        };
        self.pending.clear();
        self.pending.extend_from_slice(&held[keep..]);
        self.pending.extend_from_slice(&self.prompt);
        self.ids.clear();
        self.decode = Duration::ZERO;
        self.chooser.restart()?;
        // What they held back is of no use.
        let _ = (self.decoder.finish(), self.stops.finish());
        self.again = Some(String::new());
        Ok(())
    }

    /// Takes note of an id; returns the text that it lets through and finds out whether it was the last.
    fn take(&mut self, id: u32) -> Result<String> {
        let tokenizer = self.session.engine().tokenizer();
        let hidden = self.ends_hidden && self.ids.len() > self.min_tokens && tokenizer.is_hidden(id);
        if hidden || tokenizer.is_end(id) {
            self.stop = Some(StopReason::EndOfText);
            return Ok(String::new());
        }
        self.chooser.accept(id)?;
        let (text, stopped) = self.stops.push(&self.decoder.push(id)?);
        if stopped {
            self.stop = Some(StopReason::StopString);
        } else if self.chooser.is_done() {
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
            Ok(piece) => piece.map(Ok),
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}
