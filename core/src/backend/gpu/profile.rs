//! What each kernel takes, by the device's own clock.

use super::device::Opened;
use super::kv::Cache;
use super::lists::Chunk;
use super::program::{Gpu, encoder};
use crate::backend::{Best, KernelTime, Profile};
use crate::{Error, Result};
use std::collections::HashMap;
use std::time::Duration;
use wgpu::{BufferUsages, Features, QUERY_SIZE, QuerySet};

/// Calls of one submission.
const CALLS: usize = 64;

/// Two moments of each call of a submission.
struct Clock {
    queries: QuerySet,
    resolved: wgpu::Buffer,
    back: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
}

impl Clock {
    /// `None` where the device has none.
    fn new(opened: &Opened) -> Result<Option<Self>> {
        if !opened.device.features().contains(Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let bytes = u64::from(QUERY_SIZE) * 2 * CALLS as u64;
        let queries = opened.scoped("timestamps", || {
            opened.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2 * CALLS as u32,
            })
        })?;
        Ok(Some(Self {
            queries,
            resolved: opened.buffer("timestamps", bytes, BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC)?,
            back: opened.buffer("timestamps", bytes, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?,
            period: f64::from(opened.queue.get_timestamp_period()),
        }))
    }
}

impl Gpu {
    /// Runs a chunk with the clock around each call; `submissions` is what a run without it takes.
    pub(super) fn timed(&mut self, cache: &mut Cache, ids: &[u32], submissions: usize) -> Result<Profile> {
        if ids.is_empty() || ids.len() > self.chunk_size() {
            return Err(Error::Option {
                name: "profile".into(),
                what: format!("is of {} tokens; give 1 to {}, one chunk", ids.len(), self.chunk_size()),
            });
        }
        let clock = Clock::new(&self.opened)?;
        // As a greedy generation runs it.
        let best = (!self.lists.best.is_empty()).then(|| Best::of(1));
        let chunk = Chunk { ids, position: cache.position, wanted: ids.len() - 1..ids.len(), best, alone: false };
        cache.reserve(ids.len());
        self.write(&chunk)?;
        let calls: Vec<_> = self.lists.calls(&chunk).filter(|ready| chunk.rows(ready.call.grid.over) > 0).collect();
        let mut kernels: HashMap<&str, (usize, Duration)> = HashMap::new();
        for calls in calls.chunks(CALLS) {
            let mut encoder = encoder(&self.opened);
            for (ready, i) in calls.iter().zip(0..) {
                let timestamp_writes = clock.as_ref().map(|clock| wgpu::ComputePassTimestampWrites {
                    query_set: &clock.queries,
                    beginning_of_pass_write_index: Some(2 * i),
                    end_of_pass_write_index: Some(2 * i + 1),
                });
                let mut pass =
                    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
                ready.dispatch(&mut pass, cache, chunk.rows(ready.call.grid.over));
            }
            let mut moments = vec![0u64; 2 * calls.len()];
            if let Some(clock) = &clock {
                let bytes = size_of_val(moments.as_slice()) as u64;
                encoder.resolve_query_set(&clock.queries, 0..moments.len() as u32, &clock.resolved, 0);
                encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.back, 0, bytes);
                let submission = self.opened.submit([encoder.finish()]);
                self.opened.read(&clock.back, submission, &mut moments)?;
            } else {
                let submission = self.opened.submit([encoder.finish()]);
                self.opened.wait(submission)?;
            }
            let period = clock.as_ref().map_or(0.0, |clock| clock.period);
            for (ready, moments) in calls.iter().zip(moments.as_chunks::<2>().0) {
                let ticks = moments[1].saturating_sub(moments[0]) as f64;
                let (count, time) = kernels.entry(&ready.pipeline.name).or_default();
                *count += 1;
                *time += Duration::from_secs_f64(ticks * period / 1e9);
            }
        }
        let has_clock = clock.is_some();
        let mut kernels: Vec<_> = kernels
            .into_iter()
            .map(|(name, (count, time))| KernelTime { name: name.into(), count, time: has_clock.then_some(time) })
            .collect();
        kernels.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.name.cmp(&b.name)));
        let profile = Profile {
            kernels,
            dispatches: calls.len(),
            submissions,
            weight_bytes: calls.iter().map(|ready| ready.call.weight_bytes).sum(),
            upload: self.spent.upload,
            pipelines: self.spent.pipelines,
            max_binding_bytes: self.lists.all().map(|ready| ready.largest_binding).max().unwrap_or(0),
            max_storage_buffers: self.lists.all().map(|ready| ready.storage_buffers).max().unwrap_or(0),
        };
        cache.position += ids.len();
        Ok(profile)
    }
}
