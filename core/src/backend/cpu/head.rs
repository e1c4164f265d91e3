//! The output head of a large vocabulary, read by halves: what can be among the most probable tokens is found from the
//! upper 4 bits of each weight, and only for that the lower 4 bits are read too.
//!
//! Seen from the upper halves, a logit is a mean and a variance: the lower halves are 16 values of equal probability.
//! Weight rows whose logit lies more than [`DEVIATIONS`] standard deviations below what enough others reach at least are
//! left out. On text, Gemma 3 270M leaves some hundreds of 262,144 rows, so that nearly half of the head is never read.
//! What is returned is computed as the whole head would be, to the bit.

#![allow(unsafe_code)] // Loads and stores of planes whose sizes `Packed` guarantees.

use super::activations::Pointers;
use super::matmul::{STRIP, UNIT, offset, rows, totals, words};
use super::planes::{Planes, Read, ahead, codes, scales};
use super::pool::Team;
use super::simd::{Dot, Isa, Kernel, Simd};
use crate::backend::{Best, FEW};
use crate::quant::{Packed, TILE};

/// Standard deviations within which a logit is taken to lie. Over 1,843 positions of three texts and 262,144 rows, 9 of
/// 483 million pairs lay outside of 6, and never the winner.
const DEVIATIONS: f32 = 6.0;
/// Units that one task fills.
const FILLED: usize = 64;

/// Between which values the greatest logit of a unit lies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    lower: f32,
    upper: f32,
}

/// The head, and where its logits go.
#[derive(Clone, Copy)]
pub struct Halves<'a> {
    /// A [halved](crate::quant::Layout::halved) matrix.
    pub matrix: &'a Packed,
    /// One quantised row.
    pub x: Pointers,
    /// Which logits are wanted, at most [`FEW`].
    pub best: Best,
    /// One a unit.
    pub bounds: *mut Bounds,
    /// One a row of the matrix.
    pub logits: *mut f32,
}

// SAFETY: tasks write different bounds and logits; a barrier lies between a write and a read.
unsafe impl Sync for Halves<'_> {}

impl Halves<'_> {
    /// Writes the logits of all units that can hold one of the best, and `-inf` for the others.
    pub fn run(self, isa: Isa, team: &Team) {
        let units = self.matrix.rows().div_ceil(UNIT);
        team.each(self.matrix.tiles(), |tile| self.bound(isa, tile));
        // SAFETY: written above, before the barrier.
        let bounds = unsafe { std::slice::from_raw_parts(self.bounds, units) };
        // Every thread finds the same, sooner than it could be told.
        let threshold = self.best.floor(greatest(bounds, self.best.count));
        team.each(units.div_ceil(FILLED), |part| {
            for unit in part * FILLED..units.min((part + 1) * FILLED) {
                let mut sums = [f32::NEG_INFINITY; UNIT];
                let left_out = bounds[unit].upper < threshold; // What is not a number is not.
                if !left_out {
                    rows(isa, self.matrix, &self.x, unit * UNIT, 0, &mut sums);
                }
                let len = UNIT.min(self.matrix.rows() - unit * UNIT);
                // SAFETY: the unit's logits are this task's.
                unsafe { std::slice::from_raw_parts_mut(self.logits.add(unit * UNIT), len) }
                    .copy_from_slice(&sums[..len]);
            }
        });
    }

    /// Bounds of a tile's units.
    fn bound(&self, isa: Isa, tile: usize) {
        let (mut sums, mut variances) = ([0.0; STRIP], [0.0; STRIP]);
        let first = tile * TILE;
        isa.run(Coarse { matrix: self.matrix, x: self.x, first, sums: &mut sums, variances: &mut variances });
        let len = STRIP.min(self.matrix.rows() - first);
        let units = sums[..len].chunks(UNIT).zip(variances[..len].chunks(UNIT));
        for (unit, (sums, variances)) in units.enumerate() {
            let mut bounds = Bounds { lower: f32::NEG_INFINITY, upper: f32::NEG_INFINITY };
            for (sum, variance) in sums.iter().zip(variances) {
                let slack = DEVIATIONS * variance.sqrt();
                let (lower, upper) = (sum - slack, sum + slack);
                bounds.lower = if lower > bounds.lower { lower } else { bounds.lower };
                bounds.upper = if upper <= bounds.upper { bounds.upper } else { upper };
            }
            // SAFETY: this task's units.
            unsafe { *self.bounds.add(first / UNIT + unit) = bounds };
        }
    }
}

/// What the `count`-th greatest logit reaches at least: as many units have one that does.
fn greatest(bounds: &[Bounds], count: usize) -> f32 {
    let mut found = [f32::NEG_INFINITY; FEW]; // in falling order
    let found = &mut found[..count.clamp(1, FEW)];
    for bounds in bounds {
        if bounds.lower > found[found.len() - 1] {
            let at = found.partition_point(|x| *x >= bounds.lower);
            found[at..].rotate_right(1);
            found[at] = bounds.lower;
        }
    }
    found[found.len() - 1]
}

/// Sums of a strip from its codes' upper halves alone.
struct Coarse<'a> {
    matrix: &'a Packed,
    x: Pointers,
    /// First weight row: that of a tile.
    first: usize,
    /// The sums, as if every lower half were the mean of all.
    sums: &'a mut [f32; STRIP],
    /// Their variances, if the lower halves are any of the 16 with equal probability.
    variances: &'a mut [f32; STRIP],
}

/// Mean of a lower half.
const MEAN: f32 = 7.5;
/// Its variance: `(16 * 16 - 1) / 12`.
const VARIANCE: f32 = 21.25;

impl Kernel for Coarse<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if self.x.wide() { self.over::<S, 2>(simd) } else { self.over::<S, 1>(simd) }
    }
}

impl Coarse<'_> {
    #[inline(always)]
    fn over<S: Simd, const PLANES: usize>(self, simd: S) {
        type Upper = Read<4, 0, false, false, 1, false>;
        let (matrix, tile) = (self.matrix, self.first / TILE);
        let bias = f32::from(matrix.layout().bias);
        let p = Planes::upper(matrix);
        let mut acc = [(simd.splat(0.0), simd.splat(0.0)); STRIP / 4]; // STRIP / LANES of them are used.
        for kb in 0..p.blocks {
            let s = self.x.scale(kb, 0);
            let (scale, shift) = (simd.splat(16.0 * s.scale), simd.splat((MEAN - bias) * s.total));
            let energy = simd.splat(VARIANCE * s.energy);
            let a = words::<S, S::Narrow>(&self.x, kb, 0);
            let start = offset::<S, Upper, S::Narrow>(&p, &self.x, kb, 0, 0);
            for (v, (sum, variance)) in acc.iter_mut().enumerate().take(STRIP / S::LANES) {
                ahead::<S, Upper, STRIP>(simd, &p, tile, kb, 0, v);
                // SAFETY: the tile and the block are within the planes.
                unsafe {
                    let w = S::Narrow::prepare(simd, codes::<S, Upper>(simd, &p, tile, kb, v * S::LANES));
                    let [[total]] = totals::<S, Upper, S::Narrow, PLANES, 1, 1>(simd, 0, [&w], [a], [start]);
                    let (d, _) = scales::<S, Upper>(simd, &p, tile, kb, 0, v * S::LANES);
                    *sum = simd.fma(simd.to_f(total), simd.mul(d, scale), *sum);
                    *sum = simd.fma(d, shift, *sum);
                    *variance = simd.fma(simd.mul(d, d), energy, *variance);
                }
            }
        }
        let rows = self.sums.chunks_exact_mut(S::LANES).zip(self.variances.chunks_exact_mut(S::LANES));
        for ((sum, variance), (sums, variances)) in acc.iter().zip(rows) {
            // SAFETY: a vector's sums and variances.
            unsafe {
                simd.store(*sum, sums.as_mut_ptr());
                simd.store(*variance, variances.as_mut_ptr());
            }
        }
    }
}
