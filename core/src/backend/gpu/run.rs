//! One chunk's run: its calls in bounded submissions, between which it can be cancelled or held up.

use super::best::Found;
use super::kv::Cache;
use super::lists::{Chunk, Ready};
use super::program::{Gpu, encoder};
use crate::Result;
use crate::backend::{Alone, Cancel};
use bytemuck::Zeroable;
use std::collections::VecDeque;
use wgpu::Buffer;

/// Submissions that the device has before it while the next is written.
const AHEAD: usize = 1;

impl Gpu {
    /// Runs one chunk; `logits` has room for the wanted rows.
    pub(super) fn chunk(
        &mut self,
        cache: &mut Cache,
        chunk: &Chunk,
        logits: &mut [f32],
        cancel: &Cancel,
    ) -> Result<()> {
        cache.reserve(chunk.ids.len());
        self.write(chunk)?;
        let lists = self.lists.clone();
        if chunk.best.is_some() {
            let mut found = Found::zeroed();
            let from = self.buffers.found.clone();
            self.calls(cache, chunk, lists.calls(chunk), (&from, 0), std::slice::from_mut(&mut found), cancel)?;
            if !found.spread(logits) {
                // Too many can be among the best; what the head is multiplied with is still there.
                let from = self.value(self.graph.logits())?.clone();
                let head = lists.of(chunk).head.iter();
                self.calls(
                    cache,
                    &Chunk { best: None, wanted: chunk.wanted.clone(), ..*chunk },
                    head,
                    (&from, 0),
                    logits,
                    cancel,
                )?;
            }
        } else {
            let from = self.value(self.graph.logits())?.clone();
            self.calls(cache, chunk, lists.calls(chunk), (&from, 0), logits, cancel)?;
        }
        cache.position += chunk.ids.len();
        self.last_rows = (chunk.ids.len(), chunk.wanted.len());
        Ok(())
    }

    /// Runs the plain calls of one node.
    pub(super) fn alone(&mut self, cache: &mut Cache, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        if alone.ids.len() > self.chunk_size() || alone.wanted > self.room.logits {
            return Ok(None);
        }
        let wanted = alone.ids.len() - alone.wanted..alone.ids.len();
        let chunk = Chunk { ids: alone.ids, position: cache.position, wanted, best: None, alone: true };
        cache.reserve(alone.ids.len());
        let node = self.graph.node(alone.node);
        // Embedding rows are written by the host before anything else.
        self.write(&chunk)?;
        for (input, value) in node.inputs.iter().zip(alone.inputs).filter(|(_, value)| !value.is_empty()) {
            self.opened.queue.write_buffer(self.value(*input)?, 0, bytemuck::cast_slice(value));
        }
        let mut out = vec![0.0f32; chunk.rows(node.rows) * node.width];
        let from = self.values.get(alone.node).unwrap_or(&self.buffers.nothing).clone();
        let lists = self.lists.clone();
        let calls = lists.alone(alone.ids.len(), alone.node, node.inputs.first().copied());
        self.calls(cache, &chunk, calls.into_iter(), (&from, 0), &mut out, &Cancel::default())?;
        Ok(Some(out))
    }

    /// Runs the fused calls that write one node's value.
    pub(super) fn fused_alone(&mut self, cache: &mut Cache, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        let Some(made) = self.made(alone.node).cloned() else { return Ok(None) };
        let Some((from, offset)) = self.in_row(alone.node).map(|(buffer, offset)| (buffer.clone(), offset)) else {
            return Ok(None);
        };
        let chunk = Chunk { ids: alone.ids, position: cache.position, wanted: 0..1, best: None, alone: false };
        if !chunk.is_one() {
            return Ok(None);
        }
        cache.reserve(1);
        self.write(&chunk)?;
        for (input, value) in made.fused.inputs.iter().zip(alone.inputs) {
            if let Some((to, offset)) = self.in_row(*input) {
                self.opened.queue.write_buffer(to, offset, bytemuck::cast_slice(value));
            }
        }
        let mut out = vec![0.0f32; self.graph.node(alone.node).width];
        let lists = self.lists.clone();
        self.calls(cache, &chunk, lists.fused(&made.calls), (&from, offset), &mut out, &Cancel::default())?;
        Ok(Some(out))
    }

    /// Runs calls, and reads what is in `from` then, from a byte on.
    fn calls<'c, T: bytemuck::Pod>(
        &mut self,
        cache: &Cache,
        chunk: &Chunk,
        calls: impl Iterator<Item = &'c Ready>,
        (from, offset): (&Buffer, u64),
        out: &mut [T],
        cancel: &Cancel,
    ) -> Result<()> {
        let gate = self.gate.clone();
        let mut inside = gate.enter(cancel)?;
        let mut waiting = VecDeque::new();
        let mut encoder = encoder(&self.opened);
        let mut work = 0;
        self.pace.start();
        let mut calls = calls.filter(|ready| chunk.rows(ready.call.grid.over) > 0).peekable();
        while calls.peek().is_some() {
            {
                let desc = wgpu::ComputePassDescriptor { label: None, timestamp_writes: None };
                let mut pass = encoder.begin_compute_pass(&desc);
                while work == 0 || work < self.pace.budget() {
                    let Some(ready) = calls.next() else { break };
                    let rows = chunk.rows(ready.call.grid.over);
                    ready.dispatch(&mut pass, cache, rows);
                    work += ready.call.work * rows as u64;
                }
            }
            if calls.peek().is_some() {
                let full = std::mem::replace(&mut encoder, self::encoder(&self.opened));
                waiting.push_back((self.opened.submit([full.finish()]), work));
                work = 0;
                while waiting.len() > AHEAD
                    && let Some((submission, work)) = waiting.pop_front()
                {
                    self.opened.wait(submission)?;
                    self.pace.done(work);
                }
                if cancel.is_cancelled() || gate.is_closed() {
                    for (submission, _) in waiting.drain(..) {
                        self.opened.wait(submission)?;
                    }
                    cancel.check()?;
                    drop(inside);
                    inside = gate.enter(cancel)?;
                    self.pace.start();
                }
            }
        }
        let bytes = size_of_val(out) as u64;
        if bytes > 0 {
            encoder.copy_buffer_to_buffer(from, offset, &self.buffers.back, 0, bytes);
        }
        let last = self.opened.submit([encoder.finish()]);
        for (submission, work) in waiting {
            self.opened.wait(submission)?;
            self.pace.done(work);
        }
        self.opened.read(&self.buffers.back, last, out)?;
        self.pace.done(work);
        drop(inside);
        Ok(())
    }
}
