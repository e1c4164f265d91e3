//! Chooses the tokens of one answer: what may not come next, then the sampler. Can begin again from the start.

use crate::Result;
use crate::generate::{Constraint, Sampler};

pub(super) struct Chooser<'s> {
    sampler: Sampler,
    /// The sampler as it was before the first token.
    fresh: Sampler,
    constraint: Option<&'s mut dyn Constraint>,
    /// Ids that end a text, and how many tokens must come before one of them.
    ends: Vec<u32>,
    min_tokens: usize,
    /// Tokens chosen so far.
    chosen: usize,
}

impl<'s> Chooser<'s> {
    pub(super) fn new(
        sampler: Sampler,
        constraint: Option<&'s mut dyn Constraint>,
        ends: Vec<u32>,
        min_tokens: usize,
    ) -> Self {
        Self { fresh: sampler.clone(), sampler, constraint, ends, min_tokens, chosen: 0 }
    }

    /// Takes ids of an earlier answer for part of this one.
    pub(super) fn penalise(&mut self, ids: &[u32]) {
        ids.iter().for_each(|&id| self.fresh.accept(id));
        self.sampler.clone_from(&self.fresh);
    }

    /// The next id; `logits`, one a token of the vocabulary, are changed on the way.
    pub(super) fn choose(&mut self, logits: &mut [f32]) -> Result<u32> {
        self.mask(logits)?;
        self.sampler.sample(logits)
    }

    /// What [`choose`](Self::choose) would choose from.
    pub(super) fn adjust(&mut self, logits: &mut [f32]) -> Result<()> {
        self.mask(logits)?;
        self.sampler.adjust(logits);
        Ok(())
    }

    /// Sets the logits of what may not come next to `-inf`.
    fn mask(&mut self, logits: &mut [f32]) -> Result<()> {
        for &id in self.ends.iter().filter(|_| self.chosen < self.min_tokens) {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
        self.constraint.as_mut().map_or(Ok(()), |constraint| constraint.mask(logits))
    }

    /// Takes note of an id of the answer.
    pub(super) fn accept(&mut self, id: u32) -> Result<()> {
        self.chosen += 1;
        self.sampler.accept(id);
        self.constraint.as_mut().map_or(Ok(()), |constraint| constraint.accept(id))
    }

    /// Whether nothing may follow.
    pub(super) fn is_done(&self) -> bool {
        self.constraint.as_ref().is_some_and(|constraint| constraint.is_done())
    }

    /// Forgets the answer. Returns the sampler as it was, for [`resume`](Self::resume).
    pub(super) fn restart(&mut self) -> Result<Sampler> {
        self.chosen = 0;
        if let Some(constraint) = &mut self.constraint {
            constraint.restart()?;
        }
        Ok(std::mem::replace(&mut self.sampler, self.fresh.clone()))
    }

    /// Goes on, after the same ids were accepted again, with the random numbers that come next.
    pub(super) fn resume(&mut self, sampler: Sampler) {
        self.sampler = sampler;
    }
}
