//! How hard an engine works: a phone that is hot, or short of charge, asks for less.

use crate::backend::{Cancel, Want};
use std::time::{Duration, Instant};

/// A part of a device's power. Answers are the same with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// All of it.
    #[default]
    Full,
    /// Half of the threads, prompts in parts half as large, and as much rest as work.
    Half,
    /// A quarter of the threads, prompts in parts a quarter as large, and three times as much rest as work.
    Quarter,
}

/// No rest is longer, however long the work was: a device cools down in this time, and a person waits.
const LONGEST_REST: Duration = Duration::from_secs(2);
/// One who rests looks this often whether it was cancelled.
const LOOK: Duration = Duration::from_millis(10);

impl Effort {
    pub(super) fn divisor(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }

    /// How many of `tokens` tokens are run at once, at least one of any.
    pub(super) fn part(self, tokens: usize, chunk: usize, want: Want) -> usize {
        // Rows of all tokens are wanted from one run; so want those who measure, and not a phone in a pocket.
        if self == Self::Full || want == Want::All {
            return tokens;
        }
        (chunk / self.divisor()).max(1).min(tokens)
    }

    /// Lets the device cool down after work that took so long.
    pub(super) fn rest(self, worked: Duration, cancel: &Cancel) {
        let rest = worked.saturating_mul(self.divisor() as u32 - 1).min(LONGEST_REST);
        let until = Instant::now() + rest;
        while !cancel.is_cancelled() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_get_smaller_and_none_is_empty() {
        let part = |effort: Effort, tokens| effort.part(tokens, 64, Want::Last);
        assert_eq!([1, 100].map(|n| part(Effort::Full, n)), [1, 100]);
        assert_eq!([1, 32, 100].map(|n| part(Effort::Half, n)), [1, 32, 32]);
        assert_eq!([1, 100].map(|n| part(Effort::Quarter, n)), [1, 16]);
        assert_eq!(Effort::Quarter.part(5, 2, Want::Last), 1);
        assert_eq!(Effort::Quarter.part(100, 64, Want::All), 100);
        assert_eq!(Effort::Half.part(0, 64, Want::Nothing), 0);
    }

    #[test]
    fn it_rests_as_long_as_it_says_and_not_when_cancelled() {
        let rested = |effort: Effort, worked, cancel: &Cancel| {
            let started = Instant::now();
            effort.rest(worked, cancel);
            started.elapsed()
        };
        let (go, cancelled) = (Cancel::default(), Cancel::default());
        cancelled.cancel();
        assert!(rested(Effort::Quarter, Duration::from_millis(20), &go) >= Duration::from_millis(60));
        assert!(rested(Effort::Half, Duration::from_mins(1), &cancelled) < Duration::from_secs(1));
        assert!(rested(Effort::Full, Duration::from_mins(1), &go) < Duration::from_secs(1));
    }
}
