//! Products of quantised activations with packed weights: the kernels in which nearly all time is spent.
//!
//! A *unit* is 32 weight rows (half a tile) against all rows of a chunk. For each output the blocks of 32 columns are
//! taken in order; a block's integer sum is exact, then one fused multiply-add (two where the format has minima, and as
//! many for each 16 columns where it scales those) brings it into an f32. That order depends neither on the number of
//! rows of the chunk, nor on threads, nor on the instruction set, so all of them give the same bits.

#![allow(unsafe_code)] // Pointer walks over planes whose sizes `Packed` guarantees.

use super::activations::Pointers;
use super::planes::{Planes, Read, Reading, ahead, codes, next_block, scales};
use super::simd::{Dot, Isa, Kernel, Simd};
use crate::quant::{BLOCK, Packed, Scales, TILE};
use std::marker::PhantomData;

/// Weight rows of a unit.
pub const UNIT: usize = 32;
/// Weight rows of a strip, of which a single row of activations takes one at a time: a whole tile, so that weights are
/// read in the order in which they lie.
pub const STRIP: usize = TILE;
/// Most rows of a chunk that one pass takes, so that their sums stay in the first-level cache.
pub const PASS: usize = 64;
/// Sums of one unit: `[row of the chunk][weight row]`.
pub type Sums = [[f32; UNIT]; PASS];
/// What sums are asked for, and where they go.
enum Part<'a> {
    /// Of a unit, for the chunk's rows `first..first + count` (at most [`PASS`]).
    Unit { unit: usize, first: usize, count: usize, sums: &'a mut Sums },
    /// Of weight rows `first..first + sums.len()` (whole units of one tile), for row `row` of the chunk.
    Rows { first: usize, row: usize, sums: &'a mut [f32] },
}

/// Sums of unit `unit` of `matrix` for the chunk's rows `first..first + count` (at most [`PASS`]).
///
/// Weight rows beyond the matrix's last give zeros. A layout that no kernel reads gives NaN; a test goes through all
/// of [`crate::quant::FORMATS`].
pub fn unit(isa: Isa, matrix: &Packed, x: &Pointers, unit: usize, first: usize, count: usize, sums: &mut Sums) {
    debug_assert!(count <= PASS && first + count <= x.rows());
    run(isa, matrix, x, Part::Unit { unit, first, count, sums });
}

/// Sums of weight rows `first..first + sums.len()` for one row of the chunk: one or two units of one tile.
pub fn rows(isa: Isa, matrix: &Packed, x: &Pointers, first: usize, row: usize, sums: &mut [f32]) {
    debug_assert!(first.is_multiple_of(UNIT) && sums.len().is_multiple_of(UNIT) && first % TILE + sums.len() <= TILE);
    run(isa, matrix, x, Part::Rows { first, row, sums });
}

/// Chooses the kernel for the matrix's layout.
fn run(isa: Isa, matrix: &Packed, x: &Pointers, part: Part) {
    let l = matrix.layout();
    let planes = Planes::of(matrix);
    let (super_, groups) = match l.scales {
        Scales::Flat => (false, 1),
        Scales::Super { group } => (true, BLOCK / group),
    };
    let call = Call { planes, x, part };
    macro_rules! with {
        ($low:literal, $high:literal, $codebook:literal, $super:literal, $groups:literal, $min:literal) => {
            call.run::<Read<$low, $high, $codebook, $super, $groups, $min>>(isa)
        };
    }
    match (l.low, l.high, l.codebook.is_some(), super_, groups, l.min) {
        (4, 0, false, false, 1, false) => with!(4, 0, false, false, 1, false),
        (4, 0, false, false, 1, true) => with!(4, 0, false, false, 1, true),
        (4, 1, false, false, 1, false) => with!(4, 1, false, false, 1, false),
        (4, 1, false, false, 1, true) => with!(4, 1, false, false, 1, true),
        (8, 0, false, false, 1, false) => with!(8, 0, false, false, 1, false),
        (4, 0, true, false, 1, false) => with!(4, 0, true, false, 1, false),
        (4, 0, false, true, 1, true) => with!(4, 0, false, true, 1, true),
        (4, 1, false, true, 1, true) => with!(4, 1, false, true, 1, true),
        (4, 2, false, true, 2, false) => with!(4, 2, false, true, 2, false),
        (2, 1, false, true, 2, false) => with!(2, 1, false, true, 2, false),
        (2, 0, false, true, 2, true) => with!(2, 0, false, true, 2, true),
        (4, 4, false, false, 1, false) => with!(4, 4, false, false, 1, false),
        (4, 0, true, true, 1, false) => with!(4, 0, true, true, 1, false),
        _ => match call.part {
            Part::Unit { count, sums, .. } => sums[..count].fill([f32::NAN; UNIT]),
            Part::Rows { sums, .. } => sums.fill(f32::NAN),
        },
    }
}

/// What a kernel is called with.
struct Call<'a> {
    planes: Planes<'a>,
    x: &'a Pointers,
    part: Part<'a>,
}

impl Call<'_> {
    /// Chooses the dot product: by the width of codes, and of activations where the instruction set multiplies 16 bits.
    fn run<R: Reading>(self, isa: Isa) {
        let pairs = isa.multiplies_pairs();
        let single = matches!(self.part, Part::Rows { .. });
        let narrow = R::BITS <= 6 && (!pairs || !self.x.wide() || single);
        match (narrow, self.x.wide(), pairs) {
            (true, false, _) => isa.run(Choice::<R, false, 1>(self, PhantomData)),
            (true, true, _) => isa.run(Choice::<R, false, 2>(self, PhantomData)),
            (false, true, false) => isa.run(Choice::<R, true, 2>(self, PhantomData)),
            (false, _, _) => isa.run(Choice::<R, true, 1>(self, PhantomData)),
        }
    }
}

/// A call with its dot product chosen.
struct Choice<'a, R, const WIDE: bool, const PLANES: usize>(Call<'a>, PhantomData<R>);

impl<R: Reading, const WIDE: bool, const PLANES: usize> Kernel for Choice<'_, R, WIDE, PLANES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Call { planes, x, part } = self.0;
        match part {
            Part::Rows { first, row, sums } => {
                if let Ok(sums) = <&mut [f32; STRIP]>::try_from(&mut *sums) {
                    single::<S, R, WIDE, PLANES, STRIP>(simd, &planes, x, first, row, sums);
                } else if let Ok(sums) = <&mut [f32; UNIT]>::try_from(sums) {
                    single::<S, R, WIDE, PLANES, UNIT>(simd, &planes, x, first, row, sums);
                }
            }
            // Blocking by rows pays where registers hold the sums; elsewhere it is only more code.
            Part::Unit { unit, first, count, sums } if !S::BLOCKED => {
                for (row, sums) in sums.iter_mut().enumerate().take(count) {
                    single::<S, R, WIDE, PLANES, UNIT>(simd, &planes, x, unit * UNIT, first + row, sums);
                }
            }
            Part::Unit { unit, first, count, sums } => {
                if WIDE {
                    many::<S, R, S::Wide, PLANES>(simd, &planes, x, unit, first, count, sums);
                } else if S::Wide::SPLITS || PLANES == 1 {
                    many::<S, R, S::Narrow, PLANES>(simd, &planes, x, unit, first, count, sums);
                }
            }
        }
    }
}

/// One row of the chunk, with the dot product of the choice.
#[inline(always)]
fn single<S: Simd, R: Reading, const WIDE: bool, const PLANES: usize, const ROWS: usize>(
    simd: S,
    p: &Planes,
    x: &Pointers,
    first: usize,
    row: usize,
    sums: &mut [f32; ROWS],
) {
    if WIDE {
        one::<S, R, S::Wide, PLANES, ROWS>(simd, p, x, first, row, sums);
    } else {
        one::<S, R, S::Narrow, PLANES, ROWS>(simd, p, x, first, row, sums);
    }
}

/// Where an activation's words for this dot product lie.
#[inline(always)]
pub(super) fn words<S: Simd, D: Dot<S>>(x: &Pointers, block: usize, row: usize) -> *const u32 {
    if D::SPLITS { x.planes(block, row) } else { x.pairs(block, row) }
}

/// What the integer sum of group `g` of a block starts from: what its codes are too great (or small) by, times the
/// sum of the activations.
#[inline(always)]
pub(super) fn offset<S: Simd, R: Reading, D: Dot<S>>(p: &Planes, x: &Pointers, kb: usize, row: usize, g: usize) -> u32 {
    let s = x.scale(kb, row);
    let sum = if R::GROUPS == 1 { s.sum } else { s.group_sum[g] };
    sum.wrapping_mul(D::LESS - p.bias) as u32
}

/// Adds one block's group to an output's running sum.
#[inline(always)]
fn accumulate<S: Simd, R: Reading>(
    simd: S,
    x: &Pointers,
    kb: usize,
    row: usize,
    g: usize,
    total: S::I,
    (d, m): (S::F, S::F),
    sum: S::F,
) -> S::F {
    let s = x.scale(kb, row);
    let activation_sum = if R::GROUPS == 1 { s.total } else { s.group_total[g] };
    let mut sum = simd.fma(simd.to_f(total), simd.mul(d, simd.splat(s.scale)), sum);
    if R::MIN {
        sum = simd.fma(m, simd.splat(activation_sum), sum);
    }
    sum
}

/// One row of the chunk: weights are read once, in order, straight into registers.
#[inline(always)]
fn one<S: Simd, R: Reading, D: Dot<S>, const PLANES: usize, const ROWS: usize>(
    simd: S,
    p: &Planes,
    x: &Pointers,
    first: usize,
    row: usize,
    sums: &mut [f32; ROWS],
) {
    let (tile, start) = (first / TILE, first % TILE);
    let mut acc = [simd.splat(0.0); STRIP / 4]; // ROWS / LANES of them are used.
    let vectors = ROWS / S::LANES;
    for kb in 0..p.blocks {
        let a = words::<S, D>(x, kb, row);
        let mut offsets = [0; 2];
        for (g, to) in offsets.iter_mut().enumerate().take(R::GROUPS) {
            *to = offset::<S, R, D>(p, x, kb, row, g);
        }
        for (v, acc) in acc.iter_mut().enumerate().take(vectors) {
            let at = start + v * S::LANES;
            ahead::<S, R, ROWS>(simd, p, tile, kb, start, v);
            // SAFETY: the rows are within the tile, the block within the planes.
            unsafe {
                let w = D::prepare(simd, codes::<S, R>(simd, p, tile, kb, at));
                for g in 0..R::GROUPS {
                    let [[total]] = totals::<S, R, D, PLANES, 1, 1>(simd, g, [&w], [a], [offsets[g]]);
                    let scale = scales::<S, R>(simd, p, tile, kb, g, at);
                    *acc = accumulate::<S, R>(simd, x, kb, row, g, total, scale, *acc);
                }
            }
        }
    }
    for (acc, sums) in acc.iter().zip(sums.chunks_exact_mut(S::LANES)) {
        // SAFETY: a vector's sums.
        unsafe { simd.store(*acc, sums.as_mut_ptr()) };
    }
}

/// Several rows of the chunk: a block's codes are unpacked once, then meet every row.
#[inline(always)]
fn many<S: Simd, R: Reading, D: Dot<S>, const PLANES: usize>(
    simd: S,
    p: &Planes,
    x: &Pointers,
    unit: usize,
    first: usize,
    count: usize,
    sums: &mut Sums,
) {
    let (tile, half) = (unit / 2, unit % 2 * UNIT);
    let vectors = UNIT / S::LANES;
    sums[..count].fill([0.0; UNIT]);
    let zero = simd.splat_i(0);
    let mut w = [[zero; 16]; 8];
    let mut scale = [[(simd.splat(0.0), simd.splat(0.0)); 2]; 8];
    for kb in 0..p.blocks {
        for v in 0..vectors {
            next_block::<S, R>(simd, p, tile, kb, half + v * S::LANES);
            // SAFETY: the unit's rows are within the tile, the block within the planes.
            unsafe {
                w[v] = D::prepare(simd, codes::<S, R>(simd, p, tile, kb, half + v * S::LANES));
                for g in 0..R::GROUPS {
                    scale[v][g] = scales::<S, R>(simd, p, tile, kb, g, half + v * S::LANES);
                }
            }
        }
        let mut c = 0;
        macro_rules! columns {
            ($n:literal) => {
                while count - c >= $n {
                    block::<S, R, D, PLANES, $n>(simd, p, x, kb, first, c, &w, &scale, sums);
                    c += $n;
                }
            };
        }
        columns!(4);
        columns!(1);
    }
}

/// One block of a unit against the chunk's rows `first + c..` (`C` of them).
#[inline(always)]
fn block<S: Simd, R: Reading, D: Dot<S>, const PLANES: usize, const C: usize>(
    simd: S,
    p: &Planes,
    x: &Pointers,
    kb: usize,
    first: usize,
    c: usize,
    w: &[[S::I; 16]; 8],
    scale: &[[(S::F, S::F); 2]; 8],
    sums: &mut Sums,
) {
    let mut a = [std::ptr::null(); C];
    for (i, a) in a.iter_mut().enumerate() {
        *a = words::<S, D>(x, kb, first + c + i);
    }
    for v in (0..UNIT / S::LANES).step_by(2) {
        for g in 0..R::GROUPS {
            // SAFETY: an activation has 16 words a block; sums have UNIT floats a row.
            unsafe {
                let mut start = [0; C];
                for (i, start) in start.iter_mut().enumerate() {
                    *start = offset::<S, R, D>(p, x, kb, first + c + i, g);
                }
                let totals = totals::<S, R, D, PLANES, 2, C>(simd, g, [&w[v], &w[v + 1]], a, start);
                for (r, totals) in totals.iter().enumerate() {
                    for (i, total) in totals.iter().enumerate() {
                        let at = sums[c + i].as_mut_ptr().add((v + r) * S::LANES);
                        let sum =
                            accumulate::<S, R>(simd, x, kb, first + c + i, g, *total, scale[v + r][g], simd.load(at));
                        simd.store(sum, at);
                    }
                }
            }
        }
    }
}

/// Exact integer sums of group `g` of a block, for `V` vectors of weight rows against `C` activation rows.
#[inline(always)]
pub(super) unsafe fn totals<S: Simd, R: Reading, D: Dot<S>, const PLANES: usize, const V: usize, const C: usize>(
    simd: S,
    g: usize,
    w: [&[S::I; 16]; V],
    a: [*const u32; C],
    offset: [u32; C],
) -> [[S::I; C]; V] {
    let steps = D::STEPS / R::GROUPS;
    let chain = if D::chain(R::BITS) < steps { D::chain(R::BITS) } else { steps };
    let zero = simd.splat_i(0);
    // One sum a plane, so that neither waits for the other; the last one starts from the offset.
    let mut total = [[[zero; C]; V]; PLANES];
    for v in 0..V {
        for c in 0..C {
            total[PLANES - 1][v][c] = simd.splat_i(offset[c]);
        }
    }
    for plane in 0..PLANES {
        let mut k = g * steps;
        while k < (g + 1) * steps {
            let mut sum = [[zero; C]; V];
            for k in k..k + chain {
                for c in 0..C {
                    // SAFETY: an activation has 16 words a block, 8 a plane.
                    let x = simd.splat_i(unsafe { *a[c].add(plane * 8 + k) });
                    for v in 0..V {
                        let to = if D::DIRECT { &mut total[plane] } else { &mut sum };
                        to[v][c] = D::step(simd, to[v][c], w[v][k], x);
                    }
                }
            }
            if !D::DIRECT {
                for v in 0..V {
                    for c in 0..C {
                        total[plane][v][c] = D::widen(simd, total[plane][v][c], sum[v][c]);
                    }
                }
            }
            k += chain;
        }
    }
    if PLANES == 2 {
        for v in 0..V {
            for c in 0..C {
                total[1][v][c] = simd.add_i(simd.shl::<8>(total[0][v][c]), total[1][v][c]);
            }
        }
    }
    total[PLANES - 1]
}
