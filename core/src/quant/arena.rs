//! One piece of memory for all packed matrices: whole huge pages where the system has them, and each matrix read on from
//! the one before. With small pages a processor's prefetchers stop at every 4 KiB.

#![allow(unsafe_code)] // Regions are slices of shared memory, kept apart by the arena.

use crate::{Error, Result};
use memmap2::{MmapMut, MmapRaw};
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// Huge pages of x86-64 and of most phones.
const HUGE: usize = 2 << 20;
/// Regions begin at cache lines.
const LINE: usize = 64;

/// Memory that regions are taken from.
pub struct Arena {
    memory: Arc<MmapRaw>,
    free: Range<usize>,
}

/// A part of an arena that nobody else has.
pub struct Region {
    memory: Arc<MmapRaw>,
    place: Range<usize>,
}

impl Arena {
    /// Room for regions of these sizes; zeroed, and taken from the system only as it is written to.
    pub fn new(sizes: impl IntoIterator<Item = usize>) -> Result<Self> {
        let fold = |sum: usize, size: usize| sum.checked_add(size)?.checked_next_multiple_of(LINE);
        let bytes = sizes.into_iter().try_fold(0, fold).unwrap_or(usize::MAX);
        let refuse = || Error::OutOfMemory { bytes, what: "packed weights" };
        let with_slack = bytes.checked_add(HUGE).ok_or_else(refuse)?;
        let memory = MmapMut::map_anon(with_slack).map_err(|_| refuse())?;
        let start = memory.as_ptr().align_offset(HUGE).min(HUGE);
        #[cfg(target_os = "linux")]
        if bytes > HUGE
            && let Err(error) = memory.advise_range(memmap2::Advice::HugePage, start, bytes)
        {
            log::debug!("no huge pages for packed weights: {error}");
        }
        Ok(Self { memory: Arc::new(memory.into()), free: start..start + bytes })
    }

    /// The next `bytes` bytes.
    pub fn take(&mut self, bytes: usize) -> Result<Region> {
        let place = self.free.start..self.free.start.saturating_add(bytes);
        if place.end > self.free.end {
            return Err(Error::OutOfMemory { bytes, what: "packed weights" });
        }
        self.free.start = place.end.next_multiple_of(LINE);
        Ok(Region { memory: self.memory.clone(), place })
    }
}

impl Deref for Region {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the place is within the mapping, which lives as long as the region; only this region reaches it.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(self.place.start), self.place.len()) }
    }
}

impl DerefMut for Region {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: see above; `&mut self` excludes every other use.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_mut_ptr().add(self.place.start), self.place.len()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_apart_and_end_with_the_arena() {
        let mut arena = Arena::new([10, 64, 100]).unwrap();
        let mut regions = [10, 64, 100].map(|size| arena.take(size).unwrap());
        for (region, byte) in regions.iter_mut().zip(1..) {
            region.fill(byte);
        }
        for (region, byte) in regions.iter().zip(1..) {
            assert!(region.as_ptr().addr().is_multiple_of(LINE));
            assert!(region.iter().all(|x| *x == byte));
        }
        assert!(arena.take(129).is_err());
    }
}
