//! An open GPU: what wgpu may do only through here, so that no refusal and no loss goes unnoticed.

use super::adapter::{self, Adapter, Found, Tier};
use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wgpu::{BufferUsages, ErrorFilter};

/// An open GPU. Cheap to clone.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) facts: Arc<Adapter>,
    pub(super) tier: Tier,
    /// The most bytes of one binding.
    pub(super) binding_bytes: u64,
    /// The first thing that went wrong outside an error scope, the device's loss among them.
    fault: Arc<Mutex<Option<String>>>,
    /// Submissions so far.
    submissions: Arc<AtomicUsize>,
    /// After so many submissions the device is destroyed.
    lose_after: Option<usize>,
}

/// A submission that takes longer is taken for a device that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

impl Opened {
    /// Opens the adapter whose name contains `name`, or the best one, with this tier or its own. The tier must be
    /// within what it offers. After `lose_after` submissions the device is destroyed.
    pub(super) fn open(name: Option<&str>, tier: Option<Tier>, lose_after: Option<usize>) -> Result<Self> {
        let Found { adapter, facts } = adapter::choose(name)?;
        let tier = tier.unwrap_or(facts.tier);
        if let Some(lacks) = tier.lacks(&facts) {
            return Err(Error::Option {
                name: "gpu_tier".into(),
                what: format!("is {}, which needs {lacks}, and {} has none; give 0 or 1", tier.number(), facts.name),
            });
        }
        let (required_features, required_limits) = adapter::request(&adapter);
        let binding_bytes = required_limits.max_storage_buffer_binding_size.min(required_limits.max_buffer_size);
        let desc = wgpu::DeviceDescriptor {
            label: Some("kinglet"),
            required_features,
            required_limits,
            // Weights are few and large, and a phone has no memory to spare for quick allocation.
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&desc))
            .map_err(|e| Error::NoGpu(format!("{} refused a device: {e}; run on the CPU", facts.name)))?;
        let fault = Arc::new(Mutex::new(None));
        let note = |fault: &Arc<Mutex<Option<String>>>, what: String| {
            log::warn!("gpu: {what}");
            fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
        };
        let seen = fault.clone();
        device.set_device_lost_callback(move |reason, what| {
            note(&seen, format!("device lost ({reason:?}) {what}").trim_end().to_owned());
        });
        let seen = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error| note(&seen, error.to_string())));
        let submissions = Arc::default();
        Ok(Self { device, queue, facts: Arc::new(facts), tier, binding_bytes, fault, submissions, lose_after })
    }

    /// An error if anything went wrong since the device was opened; after that it is not to be trusted.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(what) => Err(Error::GpuLost(what.clone())),
            None => Ok(()),
        }
    }

    /// Runs `make` so that what wgpu refuses in it becomes an error that names `what`.
    pub(super) fn scoped<T>(&self, what: &str, make: impl FnOnce() -> T) -> Result<T> {
        let scopes = [ErrorFilter::Internal, ErrorFilter::OutOfMemory, ErrorFilter::Validation]
            .map(|filter| self.device.push_error_scope(filter));
        let made = make();
        let mut refused = None;
        for scope in scopes.into_iter().rev() {
            refused = pollster::block_on(scope.pop()).or(refused);
        }
        self.check()?;
        match refused {
            Some(error) => Err(Error::Gpu { what: what.into(), why: error.to_string() }),
            None => Ok(made),
        }
    }

    /// A buffer of `bytes` bytes (at least 4, rounded up to 4). Memory that the device refuses is
    /// [`Error::OutOfMemory`].
    pub(super) fn buffer(&self, label: &str, bytes: u64, usage: BufferUsages) -> Result<wgpu::Buffer> {
        let size = bytes.max(4).next_multiple_of(4);
        let desc = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let made = self.scoped(label, || self.device.create_buffer(&desc));
        match pollster::block_on(scope.pop()) {
            Some(_) => Err(Error::OutOfMemory { bytes: bytes as usize, what: "a GPU buffer" }),
            None => made,
        }
    }

    /// Hands work to the device.
    pub(super) fn submit(&self, work: impl IntoIterator<Item = wgpu::CommandBuffer>) -> wgpu::SubmissionIndex {
        if self.lose_after == Some(self.submissions.fetch_add(1, Ordering::Relaxed)) {
            self.device.destroy();
        }
        self.queue.submit(work)
    }

    /// How often [`submit`](Self::submit) was called.
    pub(super) fn submissions(&self) -> &Arc<AtomicUsize> {
        &self.submissions
    }

    /// Waits for a submission and everything before it.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        if let Err(error) = self.device.poll(poll) {
            return Err(Error::GpuLost(format!("no answer within {PATIENCE:?}: {error}")));
        }
        self.check()
    }

    /// Numbers from the start of a buffer that was made with [`BufferUsages::MAP_READ`] and written by `submission`.
    pub(super) fn read<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        submission: wgpu::SubmissionIndex,
        out: &mut [T],
    ) -> Result<()> {
        let bytes = size_of_val(out) as u64;
        if bytes == 0 {
            return self.wait(submission);
        }
        let failed = Arc::new(Mutex::new(None));
        let seen = failed.clone();
        buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        });
        self.wait(submission)?;
        // The wait has run the callback, unless the device is gone.
        let mapped = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Ok(())) = mapped else {
            return Err(Error::GpuLost(format!("results cannot be read: {mapped:?}")));
        };
        {
            let view = buffer
                .get_mapped_range(0..bytes)
                .map_err(|error| Error::GpuLost(format!("results cannot be read: {error}")))?;
            bytemuck::cast_slice_mut(out).copy_from_slice(&view);
        }
        buffer.unmap();
        Ok(())
    }
}
