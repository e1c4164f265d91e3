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
    /// Some positions of a slot. `place` says where a column of a head's key and value lie at a position; `key` and `value`
    /// give what lies there.
    pub(crate) fn read(
        slot: &Slot,
        positions: Range<usize>,
        place: impl Fn(usize, usize, usize) -> (usize, usize),
        key: impl Fn(usize) -> f32,
        value: impl Fn(usize) -> f32,
    ) -> Self {
        let len = positions.len() * slot.width();
        let mut lines = Self { first: positions.start, keys: vec![0.0; len], values: vec![0.0; len] };
        for (i, (position, head, column)) in columns(slot, positions).enumerate() {
            let (of_key, of_value) = place(position, head, column);
            (lines.keys[i], lines.values[i]) = (key(of_key), value(of_value));
        }
        lines
    }

    /// The other way round: `key` and `value` take what is to lie at a place.
    pub(crate) fn write(
        &self,
        slot: &Slot,
        positions: Range<usize>,
        place: impl Fn(usize, usize, usize) -> (usize, usize),
        mut key: impl FnMut(usize, f32),
        mut value: impl FnMut(usize, f32),
    ) {
        let before = (positions.start - self.first) * slot.width();
        for (i, (position, head, column)) in columns(slot, positions).enumerate() {
            let (of_key, of_value) = place(position, head, column);
            key(of_key, self.keys[before + i]);
            value(of_value, self.values[before + i]);
        }
    }

    /// Whether they are all that a query after `position` positions sees.
    pub(crate) fn check(&self, slot: &Slot, position: usize) -> Result<()> {
        let len = position.saturating_sub(self.first).saturating_mul(slot.width());
        if self.first > slot.first_seen(position) || self.keys.len() != len || self.values.len() != len {
            return Err(not_of_this_model("its keys and values have another shape"));
        }
        if self.keys.iter().chain(&self.values).any(|x| !x.is_finite()) {
            return Err(not_of_this_model("its keys and values are not all numbers"));
        }
        Ok(())
    }
}

/// Position, head and column of every number, in the order of `Lines`.
fn columns(slot: &Slot, positions: Range<usize>) -> impl Iterator<Item = (usize, usize, usize)> {
    let (heads, dim) = (slot.kv_heads, slot.head_dim);
    positions.flat_map(move |p| (0..heads).flat_map(move |head| (0..dim).map(move |column| (p, head, column))))
}

/// What is wrong with a saved session's cache.
pub(crate) fn not_of_this_model(what: &str) -> Error {
    Error::Saved { what: what.into() }
}
