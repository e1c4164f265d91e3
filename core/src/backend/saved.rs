//! Keys and values in a form that every device reads: what a saved session is made of.

use crate::graph::Slot;
use crate::{Error, Result};
use std::ops::Range;

/// One layer's keys and values, `[positions][kv_heads][head_dim]` each, exactly as they were stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// The first position that is held. Layers with a sliding window have dropped what came before.
    pub first: usize,
    /// After rope.
    pub keys: Vec<f32>,
    /// As they are multiplied.
    pub values: Vec<f32>,
}

impl Lines {
    /// Room for some positions of a slot.
    pub(crate) fn zeros(slot: &Slot, positions: Range<usize>) -> Self {
        let len = positions.len() * slot.width();
        Self { first: positions.start, keys: vec![0.0; len], values: vec![0.0; len] }
    }

    /// Whether they are all that a query after `position` positions sees.
    pub(crate) fn check(&self, slot: &Slot, position: usize) -> Result<()> {
        let needed = slot.window.map_or(0, |window| (position + 1).saturating_sub(window));
        let len = position.saturating_sub(self.first).saturating_mul(slot.width());
        if self.first > needed || self.keys.len() != len || self.values.len() != len {
            return Err(not_of_this_model("its keys and values have another shape"));
        }
        if self.keys.iter().chain(&self.values).any(|x| !x.is_finite()) {
            return Err(not_of_this_model("its keys and values are not all numbers"));
        }
        Ok(())
    }

    /// Heads of a position: where each lies in `keys` and `values`.
    pub(crate) fn heads(&self, slot: &Slot, position: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (dim, start) = (slot.head_dim, (position - self.first) * slot.width());
        (0..slot.kv_heads).map(move |head| (head, start + head * dim..start + (head + 1) * dim))
    }
}

/// What is wrong with a saved session's cache.
pub(crate) fn not_of_this_model(what: &str) -> Error {
    Error::Saved { what: what.into() }
}
