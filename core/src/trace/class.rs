//! What kind of wrong a value is, by evidence.

use super::activations::F16_MAX;
use super::compare::typical;
use serde::{Deserialize, Serialize};

/// What kind of wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Infinities, not-a-numbers, or numbers that end at what f16 holds.
    Overflow,
    /// Zeros where there should be none.
    Zeros,
    /// All that is wrong lies in one aligned rectangle.
    Tile,
    /// The same inputs give other bits when they are run again.
    Nondeterministic,
    /// From an index on everything is wrong, before it nothing.
    Limit,
    /// Every number is off by a rounding of a smaller type.
    Precision,
    /// What it would be if lanes beyond the 32nd of each 64 gave nothing: a size of subgroups was assumed.
    Subgroup,
    /// The device was lost.
    Lost,
    /// The device refused to run it.
    Refused,
    /// Right, but it takes far longer than others like it.
    Slow,
    /// No node is wrong alone, but their errors add up.
    Drift,
    /// None of these.
    Wrong,
}

impl Class {
    /// `overflow`, `zeros`, ...
    pub fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Zeros => "zeros",
            Self::Tile => "tile",
            Self::Nondeterministic => "nondeterministic",
            Self::Limit => "limit",
            Self::Precision => "precision",
            Self::Subgroup => "subgroup",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Slow => "slow",
            Self::Drift => "drift",
            Self::Wrong => "wrong",
        }
    }
}

/// Rectangles that kernels work on are no smaller.
const TILE: usize = 4;
/// Roundings of bf16, and a little more, relative to a number.
const BF16_ROUNDING: f32 = 1.0 / 128.0;

/// What kind of wrong `b` is, which should be `a`, rows of `width` numbers. `wrong` says it of single numbers, and
/// `repeats` are outputs for the same inputs.
pub fn classify(a: &[f32], b: &[f32], width: usize, wrong: impl Fn(usize) -> bool, repeats: &[Vec<f32>]) -> Class {
    let same_bits = |other: &Vec<f32>| other.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits());
    if !repeats.iter().all(same_bits) {
        return Class::Nondeterministic;
    }
    let overflowed =
        |(a, b): (&f32, &f32)| !b.is_finite() && a.is_finite() || (b.abs() == F16_MAX && a.abs() > F16_MAX);
    if a.iter().zip(b).any(overflowed) {
        return Class::Overflow;
    }
    if is_rounded(a, b, width) {
        return Class::Precision;
    }
    let bad: Vec<usize> = (0..b.len().min(a.len())).filter(|i| wrong(*i)).collect();
    let (Some(first), Some(last)) = (bad.first().copied(), bad.last().copied()) else {
        return Class::Wrong;
    };
    if b.iter().all(|x| *x == 0.0) {
        return Class::Zeros;
    }
    // The rectangle around what is wrong.
    let width = width.max(1);
    let left = bad.iter().map(|i| i % width).min().unwrap_or(0);
    let right = bad.iter().map(|i| i % width).max().unwrap_or(0);
    let (rows, columns) = (last / width - first / width + 1, right - left + 1);
    let all_rows = rows == b.len() / width;
    let is_dense = bad.len() * 2 > rows * columns;
    let is_tile = is_dense && columns >= TILE && left % TILE == 0 && !(all_rows && columns == width);
    let ends_inside = right + 1 < width;
    let rest_is_bad = first > 0 && bad.len() * 2 > b.len() - first && last + width.min(64) >= b.len();
    let rest_of_rows_is_bad = is_dense && left > 0 && !ends_inside && all_rows;
    if is_tile && ends_inside {
        Class::Tile
    } else if rest_is_bad || rest_of_rows_is_bad {
        Class::Limit
    } else if is_tile {
        Class::Tile
    } else if bad.iter().all(|i| b[*i] == 0.0) {
        Class::Zeros
    } else {
        Class::Wrong
    }
}

/// Whether most numbers are off, and none by more than a rounding of a smaller type.
fn is_rounded(a: &[f32], b: &[f32], width: usize) -> bool {
    let width = width.max(1);
    let mut rows = a.chunks(width).zip(b.chunks(width));
    let near = |(a, b): (&[f32], &[f32])| {
        let typical = typical(a) as f32;
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 2.0 * BF16_ROUNDING * (a.abs() + typical))
    };
    let off = a.iter().zip(b).filter(|(a, b)| a != b).count();
    off * 2 > a.iter().filter(|a| **a != 0.0).count() && rows.all(near)
}
