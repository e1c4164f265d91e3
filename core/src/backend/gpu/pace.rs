//! How much work a submission may hold, so that it takes about as long as a frame: learned from how long they take.

use std::time::{Duration, Instant};

/// The time that a submission should take.
const TARGET: Duration = Duration::from_millis(8);
/// Multiplications a second that a device is believed to do before it was measured: those of a slow phone.
const FIRST: f64 = 5e9;

/// Learns a device's speed.
pub(super) struct Pace {
    /// Multiplications a second.
    speed: f64,
    last: Option<Instant>,
    /// Submissions take this part of their time.
    divisor: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { speed: FIRST, last: None, divisor: 1 }
    }

    /// Multiplications of one submission.
    pub(super) fn budget(&self) -> u64 {
        (self.speed * TARGET.as_secs_f64() / self.divisor as f64).max(1.0) as u64
    }

    /// Submissions are smaller from now on, or as large as they can be again.
    pub(super) fn share(&mut self, divisor: usize) {
        self.divisor = divisor.max(1);
    }

    /// The device begins to work.
    pub(super) fn start(&mut self) {
        self.last = Some(Instant::now());
    }

    /// A submission of `work` multiplications is done.
    pub(super) fn done(&mut self, work: u64) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            let took = (now - last).as_secs_f64().max(1e-6);
            // Twice as fast at most, since small submissions say little.
            let speed = (work as f64 / took).min(2.0 * self.speed);
            self.speed = 0.7f64.mul_add(self.speed, 0.3 * speed).max(1e6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_power_is_a_part_of_a_submission() {
        let mut pace = Pace::new();
        let whole = pace.budget();
        for divisor in [2, 4] {
            pace.share(divisor);
            assert_eq!(pace.budget(), whole / divisor as u64);
        }
        pace.share(0);
        assert_eq!(pace.budget(), whole);
    }
}
