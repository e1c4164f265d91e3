//! One conversation: the ids fed so far, their cache, and the logits after the last.

use super::{Engine, Generation};
use crate::backend::{Cancel, Lines, Profile, State, Want};
use crate::generate::{Constraint, Sampling, argmax};
use crate::guard::{self, Doubt, Sort, Wire};
use crate::{Error, Result};

/// One conversation. Sessions of an engine are independent of each other and share its weights.
pub struct Session {
    engine: Engine,
    state: Box<dyn State>,
    ids: Vec<u32>,
    /// Rows of logits of the last run; the last row is the one after `ids`, unless it is empty.
    rows: Vec<f32>,
    /// What the last run was asked for.
    want: Want,
}

impl Session {
    pub(super) fn new(engine: Engine, state: Box<dyn State>) -> Self {
        Self { engine, state, ids: Vec::new(), rows: Vec::new(), want: Want::Nothing }
    }

    /// The engine that this session is of.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Tokens fed so far.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Positions that are left.
    pub fn room(&self) -> usize {
        self.state.context().saturating_sub(self.ids.len())
    }

    /// Logits after the last token fed, one a token of the vocabulary; empty where none were computed. After a
    /// generation those of tokens that its sampling could not have chosen may be `-inf`.
    pub fn logits(&self) -> &[f32] {
        let vocab = self.engine.vocab();
        self.rows.get(self.rows.len().saturating_sub(vocab)..).unwrap_or_default()
    }

    /// Feeds tokens in chunks; afterwards [`logits`](Self::logits) are those after the last. Nothing happens for none.
    ///
    /// # Errors
    /// [`Error::ContextFull`] and [`Error::TokenId`] before anything is fed. After [`Error::Cancelled`] the session
    /// holds the chunks that were done.
    pub fn feed(&mut self, ids: &[u32], cancel: &Cancel) -> Result<()> {
        self.feed_for(ids, Want::Last, cancel).map(|_| ())
    }

    /// Feeds tokens and returns the wanted rows of logits, `[rows, vocab]`.
    ///
    /// # Errors
    /// Those of [`feed`](Self::feed).
    pub fn feed_for(&mut self, ids: &[u32], want: Want, cancel: &Cancel) -> Result<&[f32]> {
        self.check(ids)?;
        if ids.is_empty() {
            return Ok(&[]);
        }
        let before = self.ids.len();
        self.want = want;
        let result = self.engine.run(self.state.as_mut(), ids, want, &mut self.rows, cancel);
        let fed = self.state.position().saturating_sub(before).min(ids.len());
        self.ids.extend_from_slice(&ids[..fed]);
        if let Err(error) = result.and_then(|()| self.check_finite(ids.len(), want)) {
            self.rows.clear();
            return Err(error);
        }
        Ok(&self.rows)
    }

    /// Feeds tokens, at most a chunk, and says what the device did for it; `None` from one that has nothing to tell.
    /// The session is empty afterwards.
    ///
    /// # Errors
    /// Those of [`feed`](Self::feed).
    pub fn profile(&mut self, ids: &[u32], cancel: &Cancel) -> Result<Option<Profile>> {
        self.check(ids)?;
        let profile = self.engine.lock()?.profile(self.state.as_mut(), ids, cancel)?;
        self.reset()?;
        Ok(profile)
    }

    /// Makes the session hold the longest prefix of `ids` that it can go back to, and returns its length `n`, so that
    /// `feed(&ids[n..])` completes it. Leaves at least one id to feed, so that there will be logits.
    pub fn rewind_to_common_prefix(&mut self, ids: &[u32]) -> Result<usize> {
        let common = self.ids.iter().zip(ids).take_while(|(a, b)| a == b).count();
        let keep = common.min(ids.len().saturating_sub(1));
        match self.truncate(keep) {
            Ok(()) => Ok(keep),
            // A sliding window has gone too far.
            Err(Error::Rollback { .. }) => self.reset().map(|()| 0),
            Err(error) => Err(error),
        }
    }

    /// Forgets everything from position `to` on. There are no logits then, until something is fed.
    ///
    /// # Errors
    /// [`Error::Rollback`] where a sliding window has dropped what `to` would need; the session is as before.
    pub fn truncate(&mut self, to: usize) -> Result<()> {
        if to >= self.ids.len() {
            return Ok(());
        }
        self.state.truncate(to)?;
        self.ids.truncate(to);
        self.rows.clear();
        Ok(())
    }

    /// An independent session with the same past.
    pub fn fork(&self) -> Result<Self> {
        Ok(Self {
            engine: self.engine.clone(),
            state: self.state.fork()?,
            ids: self.ids.clone(),
            rows: self.logits().to_vec(),
            want: self.want,
        })
    }

    /// Forgets everything.
    pub fn reset(&mut self) -> Result<()> {
        if self.state.truncate(0).is_err() {
            self.state = self.engine.lock()?.state(self.engine.context())?;
        }
        self.ids.clear();
        self.rows.clear();
        Ok(())
    }

    /// Feeds a prompt after what the session holds, and streams the continuation. An empty prompt continues.
    ///
    /// The prompt is fed by the first pull, not here.
    ///
    /// # Errors
    /// [`Error::Option`], [`Error::TokenId`], and [`Error::ContextFull`] where the prompt itself does not fit.
    pub fn generate(&mut self, prompt: &[u32], sampling: &Sampling, cancel: &Cancel) -> Result<Generation<'_>> {
        Generation::new(self, prompt, sampling, None, cancel)
    }

    /// The same, inside a form.
    pub fn generate_within<'s>(
        &'s mut self,
        prompt: &[u32],
        sampling: &Sampling,
        constraint: &'s mut dyn Constraint,
        cancel: &Cancel,
    ) -> Result<Generation<'s>> {
        Generation::new(self, prompt, sampling, Some(constraint), cancel)
    }

    /// Counts an answer that was read from logits, without a generation; where these look broken, or it is time to
    /// look, asks the other device. Says whether the device was wrong. It is given up then, and what the session holds is fed
    /// again, so that [`logits`](Self::logits) are right.
    ///
    /// # Errors
    /// [`Error::Distrusted`] where the device may not be given up, and those of [`feed`](Self::feed).
    pub(crate) fn audit(&mut self, cancel: &Cancel) -> Result<bool> {
        let engine = self.engine.clone();
        let due = engine.is_time_for_an_audit();
        let Some(id) = argmax(self.logits()).filter(|_| engine.may_take_back()) else { return Ok(false) };
        let doubt = Wire::default().token(id, Sort::of(engine.tokenizer(), id), self.logits());
        let Some(doubt) = doubt.or_else(|| due.then_some(Doubt::Routine)) else { return Ok(false) };
        let Some(mut witness) = engine.witness(cancel)? else { return Ok(false) };
        let logits = self.logits();
        let activations = engine.activations();
        let answer = guard::Answer { before: &self.ids, ids: &[id], logits, activations, slack: 0.0 };
        let Some(why) = guard::judge(witness.as_mut(), &answer, &mut |_, _| Ok(()), cancel)? else {
            log::info!("{doubt}: the cpu says the same");
            return Ok(false);
        };
        let device = engine.device().kind;
        engine.distrust(Error::Distrusted { device, why: format!("{why} ({doubt})") }, witness)?;
        let ids = std::mem::take(&mut self.ids);
        self.reset()?;
        self.feed(&ids, cancel)?;
        Ok(true)
    }

    /// Hands out the keys and values of `ids`, if the device has them.
    pub(super) fn layers(&self, layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        self.state.save(layer)
    }

    /// Holds `ids` afterwards, with these layers; false where they have to be fed.
    pub(super) fn take(&mut self, ids: &[u32], layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        let taken = self.state.restore(ids, layers)?;
        if taken {
            self.ids = ids.to_vec();
        }
        Ok(taken)
    }

    /// Takes the last token back, if the logits after it leave out some that `want` asks for; returns it.
    pub(super) fn take_back(&mut self, want: Want) -> Result<Option<u32>> {
        let enough = self.want == want || !matches!(self.want, Want::Best(_));
        let Some((&last, rest)) = self.ids.split_last().filter(|_| !enough) else { return Ok(None) };
        self.truncate(rest.len())?;
        Ok(Some(last))
    }

    /// Whether `ids` may be fed.
    pub(super) fn check(&self, ids: &[u32]) -> Result<()> {
        let vocab = self.engine.vocab();
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= vocab) {
            return Err(Error::TokenId { id, vocab });
        }
        let (needed, context) = (self.ids.len().saturating_add(ids.len()), self.state.context());
        if needed > context { Err(Error::ContextFull { needed, context }) } else { Ok(()) }
    }

    /// A device that computes NaN or infinity must not go unnoticed: sampling would make plausible nonsense of it.
    fn check_finite(&self, fed: usize, want: Want) -> Result<()> {
        // Without their signs, what is not finite comes after all that is; one pass without a branch a logit.
        let left_out = matches!(want, Want::Best(_)).then_some(f32::NEG_INFINITY.to_bits());
        let bad = |l: &f32| l.to_bits() << 1 >= f32::INFINITY.to_bits() << 1 && Some(l.to_bits()) != left_out;
        if !self.rows.iter().fold(false, |any, l| any | bad(l)) {
            return Ok(());
        }
        let Some(at) = self.rows.iter().position(bad) else { return Ok(()) };
        let vocab = self.engine.vocab();
        let first = self.ids.len() - want.rows(fed).min(self.ids.len());
        Err(Error::NonFinite {
            device: self.engine.device().kind,
            position: first + at / vocab,
            id: at % vocab,
            value: self.rows[at],
        })
    }
}
