//! How far two values are apart.

use crate::ops::Op;
use crate::precision::Activations;
use serde::Serialize;

/// The second of two values against the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Largest difference of two numbers.
    pub max_abs: f64,
    /// Root of the mean square of the differences, relative to that of the first value.
    pub rel: f64,
    /// Largest difference of two numbers, relative to their size and that of the typical number of their row.
    pub worst: f64,
    /// Cosine of the angle between them; 1 for two zeros.
    pub cosine: f64,
    /// Not-a-numbers of the second where the first has numbers.
    pub nan: usize,
    /// Infinities of the second where the first has none.
    pub inf: usize,
    /// The first number that is further off than `limit` relative to its size, or finite on one side alone.
    pub first_index: Option<usize>,
    /// The largest number of the second.
    pub max_b: f64,
}

impl Difference {
    /// Compares rows of `width` numbers; numbers further apart than `limit` (see [`worst`](Self::worst)) are wrong.
    pub fn of(a: &[f32], b: &[f32], width: usize, limit: f64) -> Self {
        let mut d = Self { cosine: 1.0, ..Self::default() };
        let (mut error, mut energy_a, mut energy_b, mut product) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for (row, (a, b)) in a.chunks(width.max(1)).zip(b.chunks(width.max(1))).enumerate() {
            let typical = typical(a);
            for (column, (a, b)) in a.iter().zip(b).enumerate() {
                let (x, y) = (f64::from(*a), f64::from(*b));
                let wrong = if y.is_finite() && !x.is_finite() {
                    true
                } else if y.is_finite() {
                    let off = (x - y).abs();
                    let size = x.abs() + typical;
                    let relative = if size > 0.0 {
                        off / size
                    } else if off > 0.0 {
                        f64::INFINITY
                    } else {
                        0.0
                    };
                    d.max_abs = d.max_abs.max(off);
                    d.worst = d.worst.max(relative);
                    d.max_b = d.max_b.max(y.abs());
                    error += off * off;
                    energy_a += x * x;
                    energy_b += y * y;
                    product += x * y;
                    relative > limit
                } else {
                    let same = a.to_bits() == b.to_bits() || x.is_nan() && y.is_nan();
                    d.nan += usize::from(y.is_nan() && !same);
                    d.inf += usize::from(y.is_infinite() && !same);
                    !same
                };
                if wrong && d.first_index.is_none() {
                    d.first_index = Some(row * width + column);
                }
            }
        }
        if energy_a > 0.0 || error > 0.0 {
            d.rel = if energy_a > 0.0 { (error / energy_a).sqrt() } else { f64::INFINITY };
            let sizes = (energy_a * energy_b).sqrt();
            d.cosine = if sizes > 0.0 { product / sizes } else { 0.0 };
        }
        if a.len() != b.len() {
            d.first_index.get_or_insert(a.len().min(b.len()));
        }
        d
    }

    /// To find the worst of several by.
    pub(super) fn badness(&self) -> (bool, f64) {
        (self.nan + self.inf > 0, self.worst.max(self.rel))
    }

    /// Whether the second value is wrong, not only rounded otherwise.
    pub fn is_broken(&self, limit: f64) -> bool {
        self.nan > 0 || self.inf > 0 || self.first_index.is_some() || self.rel > limit
    }
}

/// How far a number of two devices may be off, relative to its size and the typical one: what rounding can do where each
/// feeds its products with such activations.
pub(crate) fn tolerance(op: &Op, a: Activations, b: Activations) -> f64 {
    let eight = a == Activations::Int8 || b == Activations::Int8;
    match op {
        Op::Matmul(_) if a == b => {
            if eight {
                5e-3
            } else {
                1e-4
            }
        }
        Op::Matmul(_) if eight => 4.0,
        Op::Matmul(_) => 0.05,
        Op::Attend(_) if a == b => 1e-4,
        Op::Attend(_) => 0.02,
        _ => 5e-5,
    }
}

/// The median of the magnitudes of a row: what most of its numbers are like, beside a few that are much larger.
pub(super) fn typical(row: &[f32]) -> f64 {
    let mut sizes: Vec<f32> = row.iter().map(|x| x.abs()).filter(|x| x.is_finite()).collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f32::total_cmp);
    f64::from(*median)
}

#[cfg(test)]
mod tests {
    use super::Difference;

    /// Either side may be the one that is wrong.
    #[test]
    fn what_is_finite_on_one_side_alone_is_wrong() {
        let right = [1.0, 2.0, 3.0, 4.0];
        for not_finite in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let spoilt = [1.0, not_finite, 3.0, 4.0];
            for (a, b) in [(&spoilt, &right), (&right, &spoilt)] {
                assert_eq!(Difference::of(a, b, 4, 1e-4).first_index, Some(1), "{not_finite}");
            }
            assert!(!Difference::of(&spoilt, &spoilt, 4, 1e-4).is_broken(1e-4), "{not_finite}");
        }
    }
}
