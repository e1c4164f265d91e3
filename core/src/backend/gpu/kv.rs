//! Keys and values of one session in the GPU's memory; laid out as `common/kv.wgsl` says.

use super::device::Opened;
use crate::backend::{Lines, State, not_of_this_model};
use crate::graph::Slot;
use crate::ops::Attend;
use crate::precision::KvType;
use crate::{Error, Result};
use half::f16;
use std::any::Any;
use std::ops::Range;
use wgpu::{BindGroup, BindGroupLayout, Buffer, BufferUsages};

/// Positions of a block of keys; capacities are multiples.
const KEYS: usize = 64;

/// What a layer's attention is told beside its slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub(super) slot: Slot,
    pub(super) heads: usize,
    pub(super) scale: f32,
    pub(super) softcap: Option<f32>,
}

impl Heads {
    pub(super) fn new(slot: Slot, attend: &Attend) -> Self {
        Self { slot, heads: attend.heads, scale: attend.scale, softcap: attend.softcap }
    }
}

/// One layer's keys and values.
struct Layer {
    heads: Heads,
    capacity: usize,
    keys: Buffer,
    values: Buffer,
    group: BindGroup,
}

/// All layers of one session.
pub(super) struct Cache {
    gpu: Opened,
    layout: BindGroupLayout,
    kv: KvType,
    layers: Vec<Layer>,
    pub(super) position: usize,
    /// One past the last position ever written; what it displaced in a ring is gone, whatever was forgotten since.
    written: usize,
    context: usize,
    /// Layers with a window were restored without what came before.
    first: usize,
}

/// Positions that a layer keeps: all, or its window and one chunk.
fn capacity(slot: &Slot, context: usize, chunk: usize) -> usize {
    let needed = slot.window.map_or(context, |w| context.min(w.saturating_add(chunk)));
    needed.max(1).checked_next_multiple_of(KEYS).unwrap_or(usize::MAX)
}

/// Bytes that a session's cache takes.
pub fn bytes(slots: &[Slot], context: usize, chunk: usize, kv: KvType) -> usize {
    let layer = |s: &Slot| capacity(s, context, chunk).saturating_mul(2 * s.width() * kv.bytes());
    slots.iter().map(layer).fold(0, usize::saturating_add)
}

impl Cache {
    pub(super) fn new(
        gpu: &Opened,
        layout: &BindGroupLayout,
        heads: &[Heads],
        context: usize,
        chunk: usize,
        kv: KvType,
    ) -> Result<Self> {
        let layers = heads
            .iter()
            .map(|heads| Layer::new(gpu, layout, *heads, capacity(&heads.slot, context, chunk), kv))
            .collect::<Result<_>>()?;
        Ok(Self { gpu: gpu.clone(), layout: layout.clone(), kv, layers, position: 0, written: 0, context, first: 0 })
    }

    /// The second bind group of kernels that use layer `slot`.
    pub(super) fn group(&self, slot: usize) -> Option<&BindGroup> {
        self.layers.get(slot).map(|layer| &layer.group)
    }

    /// Whether it was made for these layers.
    pub(super) fn is_of(&self, gpu: &Opened, heads: &[Heads]) -> bool {
        self.gpu.device == gpu.device
            && self.layers.len() == heads.len()
            && self.layers.iter().zip(heads).all(|(layer, heads)| layer.heads.slot == heads.slot)
    }

    /// The first position that a layer holds.
    fn oldest(&self, layer: &Layer) -> usize {
        let first = if layer.heads.slot.window.is_some() { self.first } else { 0 };
        self.written.saturating_sub(layer.capacity).max(first)
    }

    /// Notes that the next `count` positions are about to be written.
    pub(super) fn reserve(&mut self, count: usize) {
        self.written = self.written.max(self.position + count);
    }
}

impl Layer {
    fn new(gpu: &Opened, layout: &BindGroupLayout, heads: Heads, capacity: usize, kv: KvType) -> Result<Self> {
        let bytes = capacity.saturating_mul(heads.slot.width() * kv.bytes()) as u64;
        if bytes > gpu.binding_bytes {
            return Err(Error::OutOfMemory { bytes: bytes as usize, what: "keys of one layer in one GPU binding" });
        }
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let keys = gpu.buffer("keys", bytes, usage)?;
        let values = gpu.buffer("values", bytes, usage)?;
        let slot = gpu.buffer("slot", 32, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?;
        let words = [
            heads.slot.kv_heads as u32,
            heads.slot.head_dim as u32,
            capacity as u32,
            heads.slot.window.unwrap_or(0) as u32,
            heads.heads as u32,
            heads.scale.to_bits(),
            heads.softcap.unwrap_or(0.0).to_bits(),
            0,
        ];
        gpu.queue.write_buffer(&slot, 0, bytemuck::cast_slice(&words));
        let entries: Vec<_> = [&slot, &keys, &values]
            .into_iter()
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = gpu.scoped("a layer's cache", || {
            let desc = wgpu::BindGroupDescriptor { label: Some("cache"), layout, entries: &entries };
            gpu.device.create_bind_group(&desc)
        })?;
        Ok(Self { heads, capacity, keys, values, group })
    }
}

/// A layer's buffers on the host, as words.
struct Stored {
    keys: Vec<u32>,
    values: Vec<u32>,
}

impl Layer {
    /// Where a column of a head's key and value lie at a position, in numbers.
    fn place(&self) -> impl Fn(usize, usize, usize) -> (usize, usize) {
        let (capacity, dim) = (self.capacity, self.heads.slot.head_dim);
        move |position, head, column| {
            let place = position % capacity;
            let block = head * (capacity / KEYS) + place / KEYS;
            // A key's columns are in pairs.
            let key = 2 * ((block * (dim / 2) + column / 2) * KEYS + place % KEYS) + column % 2;
            (key, (head * capacity + place) * dim + column)
        }
    }

    fn read(&self, gpu: &Opened) -> Result<Stored> {
        let bytes = self.keys.size();
        let back = gpu.buffer("a layer", 2 * bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.keys, 0, &back, 0, bytes);
        encoder.copy_buffer_to_buffer(&self.values, 0, &back, bytes, bytes);
        let submission = gpu.submit([encoder.finish()]);
        let mut keys = vec![0u32; bytes as usize / 2];
        gpu.read(&back, submission, &mut keys)?;
        let values = keys.split_off(keys.len() / 2);
        Ok(Stored { keys, values })
    }
}

impl Stored {
    fn lines(&self, layer: &Layer, kv: KvType, positions: Range<usize>) -> Lines {
        let (key, value) = (|i| number(&self.keys, kv, i), |i| number(&self.values, kv, i));
        Lines::read(&layer.heads.slot, positions, layer.place(), key, value)
    }

    fn of(lines: &Lines, layer: &Layer, kv: KvType, positions: Range<usize>) -> Self {
        let words = layer.keys.size() as usize / 4;
        let (mut keys, mut values) = (vec![0; words], vec![0; words]);
        let (key, value) = (|i, x| set_number(&mut keys, kv, i, x), |i, x| set_number(&mut values, kv, i, x));
        lines.write(&layer.heads.slot, positions, layer.place(), key, value);
        Self { keys, values }
    }

    fn write(&self, layer: &Layer, gpu: &Opened) {
        gpu.queue.write_buffer(&layer.keys, 0, bytemuck::cast_slice(&self.keys));
        gpu.queue.write_buffer(&layer.values, 0, bytemuck::cast_slice(&self.values));
    }
}

fn number(words: &[u32], kv: KvType, i: usize) -> f32 {
    match kv {
        KvType::F32 => f32::from_bits(words[i]),
        KvType::F16 => f16::from_bits((words[i / 2] >> (16 * (i % 2))) as u16).to_f32(),
    }
}

/// Into zeros.
fn set_number(words: &mut [u32], kv: KvType, i: usize, x: f32) {
    match kv {
        KvType::F32 => words[i] = x.to_bits(),
        KvType::F16 => words[i / 2] |= u32::from(f16::from_f32(x).to_bits()) << (16 * (i % 2)),
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
            if layer.heads.slot.first_seen(to) < oldest {
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
        let mut layers = Vec::with_capacity(self.layers.len());
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for layer in &self.layers {
            let copy = Layer::new(&self.gpu, &self.layout, layer.heads, layer.capacity, self.kv)?;
            encoder.copy_buffer_to_buffer(&layer.keys, 0, &copy.keys, 0, None);
            encoder.copy_buffer_to_buffer(&layer.values, 0, &copy.values, 0, None);
            layers.push(copy);
        }
        let submission = self.gpu.submit([encoder.finish()]);
        self.gpu.wait(submission)?;
        Ok(Box::new(Self { gpu: self.gpu.clone(), layout: self.layout.clone(), layers, ..*self }))
    }

    fn advance(&mut self, count: usize) {
        self.position += count;
    }

    fn save(&self, layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        for kept in &self.layers {
            let stored = kept.read(&self.gpu)?;
            layer(stored.lines(kept, self.kv, self.oldest(kept).min(self.position)..self.position))?;
        }
        Ok(())
    }

    fn restore(&mut self, ids: &[u32], layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        let position = ids.len();
        for kept in &self.layers {
            let lines = layers.next().ok_or_else(|| not_of_this_model("a layer is missing"))??;
            lines.check(&kept.heads.slot, position)?;
            let first = lines.first.max(position.saturating_sub(kept.capacity));
            self.first = self.first.max(first);
            Stored::of(&lines, kept, self.kv, first..position).write(kept, &self.gpu);
        }
        let submission = self.gpu.submit([]);
        self.gpu.wait(submission)?;
        (self.position, self.written) = (position, position);
        Ok(true)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
