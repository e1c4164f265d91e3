//! Keys and values of one session, laid out for the attention kernel.
//!
//! Keys lie in blocks of 16 positions, `[kv_head][block][head_dim][16]`, so that one vector holds one column of
//! several positions and scores need no sums across lanes; values lie `[kv_head][position][head_dim]`.
//! Sliding-window layers keep a ring of their window and one chunk.

use super::zeros;
use crate::backend::{Lines, State, not_of_this_model};
use crate::graph::Slot;
use crate::precision::KvType;
use crate::{Error, Result};
use half::f16;
use std::any::Any;
use std::ops::Range;

/// Positions of a block of keys; every vector length divides it.
pub const KEYS: usize = 16;

/// Elements of a cache, as stored.
pub enum Store {
    /// Halves, as bits.
    F16(Vec<u16>),
    /// As computed.
    F32(Vec<f32>),
}

impl Store {
    /// Zeros.
    fn new(kv: KvType, len: usize) -> Result<Self> {
        Ok(match kv {
            KvType::F16 => Self::F16(zeros(len, "keys and values")?),
            KvType::F32 => Self::F32(zeros(len, "keys and values")?),
        })
    }

    fn get(&self, i: usize) -> f32 {
        match self {
            Self::F16(x) => f16::from_bits(x[i]).to_f32(),
            Self::F32(x) => x[i],
        }
    }

    fn set(&mut self, i: usize, x: f32) {
        match self {
            Self::F16(all) => all[i] = f16::from_f32(x).to_bits(),
            Self::F32(all) => all[i] = x,
        }
    }

    /// A copy of the first `used` elements of every `stride`.
    fn copy(&self, stride: usize, used: usize) -> Result<Self> {
        fn fill<T: Copy>(from: &[T], to: &mut [T], stride: usize, used: usize) {
            for (from, to) in from.chunks(stride).zip(to.chunks_mut(stride)) {
                to[..used].copy_from_slice(&from[..used]);
            }
        }
        match self {
            Self::F16(from) => {
                let mut to = Self::new(KvType::F16, from.len())?;
                if let Self::F16(to) = &mut to {
                    fill(from, to, stride, used);
                }
                Ok(to)
            }
            Self::F32(from) => {
                let mut to = Self::new(KvType::F32, from.len())?;
                if let Self::F32(to) = &mut to {
                    fill(from, to, stride, used);
                }
                Ok(to)
            }
        }
    }
}

/// One layer's keys and values.
pub struct Layer {
    /// Its shape.
    pub slot: Slot,
    /// Positions that there is room for; a multiple of [`KEYS`]. Position `p` lies at `p % capacity`.
    pub capacity: usize,
    /// `[kv_head][capacity / 16][head_dim][16]`
    pub keys: Store,
    /// `[kv_head][capacity][head_dim]`
    pub values: Store,
}

impl Layer {
    fn lines(&self, positions: Range<usize>) -> Lines {
        let place = place(self.slot, self.capacity);
        Lines::read(&self.slot, positions, place, |i| self.keys.get(i), |i| self.values.get(i))
    }

    fn take(&mut self, lines: &Lines, positions: Range<usize>) {
        let place = place(self.slot, self.capacity);
        let (keys, values) = (&mut self.keys, &mut self.values);
        lines.write(&self.slot, positions, place, |i, x| keys.set(i, x), |i, x| values.set(i, x));
    }

    fn fork(&self, position: usize) -> Result<Self> {
        let stride = self.capacity * self.slot.head_dim;
        // Keys are copied by whole blocks.
        let used = position.next_multiple_of(KEYS).min(self.capacity) * self.slot.head_dim;
        Ok(Self {
            slot: self.slot,
            capacity: self.capacity,
            keys: self.keys.copy(stride, used)?,
            values: self.values.copy(stride, used)?,
        })
    }
}

/// Where a column of a head's key and value lie at a position.
fn place(slot: Slot, capacity: usize) -> impl Fn(usize, usize, usize) -> (usize, usize) {
    move |position, head, column| {
        let (place, dim) = (position % capacity, slot.head_dim);
        let block = head * (capacity / KEYS) + place / KEYS;
        ((block * dim + column) * KEYS + place % KEYS, (head * capacity + place) * dim + column)
    }
}

/// All layers of one session.
pub struct Cache {
    /// In the order of the graph's slots.
    pub layers: Vec<Layer>,
    /// Positions filled.
    pub position: usize,
    /// One past the last position ever written; what it displaced in a ring is gone, whatever was forgotten since.
    written: usize,
    context: usize,
    /// Layers with a window were restored without what came before.
    first: usize,
}

/// Positions that a layer keeps: all, or its window and one chunk.
pub fn capacity(slot: &Slot, context: usize, chunk: usize) -> usize {
    let needed = slot.window.map_or(context, |w| context.min(w.saturating_add(chunk)));
    needed.checked_next_multiple_of(KEYS).unwrap_or(usize::MAX)
}

/// Bytes that a session's cache takes.
pub fn bytes(slots: &[Slot], context: usize, chunk: usize, kv: KvType) -> usize {
    let layer = |s: &Slot| capacity(s, context, chunk).saturating_mul(2 * s.kv_heads * s.head_dim * kv.bytes());
    slots.iter().map(layer).fold(0, usize::saturating_add)
}

impl Cache {
    /// An empty cache.
    pub fn new(slots: &[Slot], context: usize, chunk: usize, kv: KvType) -> Result<Self> {
        let layers = slots
            .iter()
            .map(|slot| {
                let capacity = capacity(slot, context, chunk);
                let len = capacity.saturating_mul(slot.kv_heads * slot.head_dim);
                Ok(Layer { slot: *slot, capacity, keys: Store::new(kv, len)?, values: Store::new(kv, len)? })
            })
            .collect::<Result<_>>()?;
        Ok(Self { layers, position: 0, written: 0, context, first: 0 })
    }

    /// Notes that the next `count` positions are about to be written.
    pub fn reserve(&mut self, count: usize) {
        self.written = self.written.max(self.position + count);
    }

    /// The first position that a layer holds.
    fn oldest(&self, layer: &Layer) -> usize {
        let first = if layer.slot.window.is_some() { self.first } else { 0 };
        self.written.saturating_sub(layer.capacity).max(first)
    }
}

impl State for Cache {
    fn position(&self) -> usize {
        self.position
    }

    fn context(&self) -> usize {
        self.context
    }

    fn truncate(&mut self, to: usize) -> Result<()> {
        if to >= self.position {
            return Ok(());
        }
        for layer in &self.layers {
            // The query at `to` sees `window - 1` positions before it; the ring still holds the last `capacity`.
            let oldest = self.oldest(layer);
            if layer.slot.first_seen(to) < oldest {
                return Err(Error::Rollback { to });
            }
        }
        self.position = to;
        if to == 0 {
            (self.written, self.first) = (0, 0);
        }
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn State>> {
        let layers = self.layers.iter().map(|layer| layer.fork(self.written)).collect::<Result<_>>()?;
        Ok(Box::new(Self { layers, ..*self }))
    }

    fn advance(&mut self, count: usize) {
        self.position += count;
    }

    fn save(&self, layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        for kept in &self.layers {
            layer(kept.lines(self.oldest(kept).min(self.position)..self.position))?;
        }
        Ok(())
    }

    fn restore(&mut self, ids: &[u32], layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        let position = ids.len();
        for kept in &mut self.layers {
            let lines = layers.next().ok_or_else(|| not_of_this_model("a layer is missing"))??;
            lines.check(&kept.slot, position)?;
            let first = lines.first.max(position.saturating_sub(kept.capacity));
            self.first = self.first.max(first);
            kept.take(&lines, first..position);
        }
        (self.position, self.written) = (position, position);
        Ok(true)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
