//! Reading packed planes into registers: a vector of weight rows, one block of columns.
//!
//! No closures here and in the products: a closure is a function of its own, compiled without the kernel's instruction
//! set unless the optimiser happens to inline it first.

#![allow(unsafe_code)] // Pointer walks over planes whose sizes `Packed` guarantees.

use super::simd::Simd;
use crate::quant::{Packed, TILE};

/// How far ahead a single row's pass asks for weights, in words: to bring them into the first-level cache, and before
/// that into the second, whose more numerous misses in flight are what keeps the memory busy.
const AHEAD: [usize; 2] = [512, 1536];
/// Words of a cache line.
const LINE: usize = 16;

/// Where a packed matrix's planes lie.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    low: &'a [u32],
    high: &'a [u32],
    d: &'a [u16],
    m: &'a [u16],
    sub: &'a [i8],
    submin: &'a [u8],
    /// Blocks of a row.
    pub blocks: usize,
    /// Subtracted from unpacked codes.
    pub bias: i32,
    codebook: [u8; 16],
}

impl<'a> Planes<'a> {
    /// All of a matrix.
    pub fn of(matrix: &'a Packed) -> Self {
        let layout = matrix.layout();
        Self {
            low: matrix.low(),
            high: matrix.high(),
            d: matrix.d(),
            m: matrix.m(),
            sub: matrix.sub(),
            submin: matrix.submin(),
            blocks: matrix.blocks(),
            bias: if layout.codebook.is_some() { 128 } else { i32::from(layout.bias) },
            // As unsigned codes, 128 too great.
            codebook: layout.codebook.map_or([0; 16], |book| book.map(|x| (x as u8) ^ 0x80)),
        }
    }

    /// The upper halves of a [halved](Layout::halved) matrix, as a matrix of 4-bit codes without a bias.
    pub fn upper(matrix: &'a Packed) -> Self {
        let (low, d, blocks) = (matrix.high(), matrix.d(), matrix.blocks());
        Self { low, high: &[], d, m: &[], sub: &[], submin: &[], blocks, bias: 0, codebook: [0; 16] }
    }
}

/// How a kind of packed matrix is read; all of it known when the kernel is compiled.
pub trait Reading {
    const LOW: u32;
    const HIGH: u32;
    const CODEBOOK: bool;
    const SUPER: bool;
    const GROUPS: usize;
    const MIN: bool;
    /// Bits that an unpacked code can have.
    const BITS: u32 = if Self::CODEBOOK { 8 } else { Self::LOW + Self::HIGH };
}

pub struct Read<
    const LOW: u32,
    const HIGH: u32,
    const CODEBOOK: bool,
    const SUPER: bool,
    const GROUPS: usize,
    const MIN: bool,
>;

impl<const LOW: u32, const HIGH: u32, const CODEBOOK: bool, const SUPER: bool, const GROUPS: usize, const MIN: bool>
    Reading for Read<LOW, HIGH, CODEBOOK, SUPER, GROUPS, MIN>
{
    const LOW: u32 = LOW;
    const HIGH: u32 = HIGH;
    const CODEBOOK: bool = CODEBOOK;
    const SUPER: bool = SUPER;
    const GROUPS: usize = GROUPS;
    const MIN: bool = MIN;
}

/// Unpacked code words of the vector of rows from `row` of `tile`, block `kb`.
///
/// # Safety
/// The tile and the block are the matrix's, and the rows from `row` on fill a vector within the tile.
#[inline(always)]
pub unsafe fn codes<S: Simd, R: Reading>(simd: S, p: &Planes, tile: usize, kb: usize, row: usize) -> [S::I; 8] {
    let block = tile * p.blocks + kb;
    let mut c = [simd.splat_i(0); 8];
    // SAFETY: tile, block and row are within the planes; a vector of rows stays within the tile.
    unsafe {
        let low = p.low.as_ptr().add(block * R::LOW as usize * TILE + row);
        match R::LOW {
            8 => {
                for i in 0..8 {
                    c[i] = simd.load_i(low.add(i * TILE));
                }
            }
            4 => {
                let mask = simd.splat_i(0x0f0f_0f0f);
                for i in 0..4 {
                    let w = simd.load_i(low.add(i * TILE));
                    c[i] = simd.and(w, mask);
                    c[4 + i] = simd.and(simd.shr::<4>(w), mask);
                }
            }
            _ => {
                let mask = simd.splat_i(0x0303_0303);
                for i in 0..2 {
                    let w = simd.load_i(low.add(i * TILE));
                    c[i] = simd.and(w, mask);
                    c[2 + i] = simd.and(simd.shr::<2>(w), mask);
                    c[4 + i] = simd.and(simd.shr::<4>(w), mask);
                    c[6 + i] = simd.and(simd.shr::<6>(w), mask);
                }
            }
        }
        if R::CODEBOOK {
            for c in &mut c {
                *c = simd.lookup(&p.codebook, *c);
            }
        }
        if R::HIGH == 1 {
            let h = simd.load_i(p.high.as_ptr().add(block * TILE + row));
            if R::LOW == 4 {
                let mask = simd.splat_i(0x1010_1010);
                c[0] = simd.or(c[0], simd.and(simd.shl::<4>(h), mask));
                c[1] = simd.or(c[1], simd.and(simd.shl::<3>(h), mask));
                c[2] = simd.or(c[2], simd.and(simd.shl::<2>(h), mask));
                c[3] = simd.or(c[3], simd.and(simd.shl::<1>(h), mask));
                c[4] = simd.or(c[4], simd.and(h, mask));
                c[5] = simd.or(c[5], simd.and(simd.shr::<1>(h), mask));
                c[6] = simd.or(c[6], simd.and(simd.shr::<2>(h), mask));
                c[7] = simd.or(c[7], simd.and(simd.shr::<3>(h), mask));
            } else {
                let mask = simd.splat_i(0x0404_0404);
                c[0] = simd.or(c[0], simd.and(simd.shl::<2>(h), mask));
                c[1] = simd.or(c[1], simd.and(simd.shl::<1>(h), mask));
                c[2] = simd.or(c[2], simd.and(h, mask));
                c[3] = simd.or(c[3], simd.and(simd.shr::<1>(h), mask));
                c[4] = simd.or(c[4], simd.and(simd.shr::<2>(h), mask));
                c[5] = simd.or(c[5], simd.and(simd.shr::<3>(h), mask));
                c[6] = simd.or(c[6], simd.and(simd.shr::<4>(h), mask));
                c[7] = simd.or(c[7], simd.and(simd.shr::<5>(h), mask));
            }
        }
        if R::HIGH == 4 {
            let mask = simd.splat_i(0xf0f0_f0f0);
            for i in 0..4 {
                let h = simd.load_i(p.high.as_ptr().add((block * 4 + i) * TILE + row));
                c[i] = simd.or(c[i], simd.and(simd.shl::<4>(h), mask));
                c[4 + i] = simd.or(c[4 + i], simd.and(h, mask));
            }
        }
        if R::HIGH == 2 {
            let mask = simd.splat_i(0x3030_3030);
            for i in 0..2 {
                let h = simd.load_i(p.high.as_ptr().add((block * 2 + i) * TILE + row));
                c[4 * i] = simd.or(c[4 * i], simd.and(simd.shl::<4>(h), mask));
                c[4 * i + 1] = simd.or(c[4 * i + 1], simd.and(simd.shl::<2>(h), mask));
                c[4 * i + 2] = simd.or(c[4 * i + 2], simd.and(h, mask));
                c[4 * i + 3] = simd.or(c[4 * i + 3], simd.and(simd.shr::<2>(h), mask));
            }
        }
    }
    c
}

/// Scales of a vector of rows for group `g` of a block, and its minima (unused where the format has none).
///
/// # Safety
/// See [`codes`].
#[inline(always)]
pub unsafe fn scales<S: Simd, R: Reading>(
    simd: S,
    p: &Planes,
    tile: usize,
    kb: usize,
    g: usize,
    row: usize,
) -> (S::F, S::F) {
    // SAFETY: tile, block, group and row are within the planes; a vector of rows stays within the tile.
    unsafe {
        if R::SUPER {
            let at = (tile * (p.blocks / 8) + kb / 8) * TILE + row;
            let sub = ((tile * p.blocks + kb) * R::GROUPS + g) * TILE + row;
            let d = simd.mul(simd.load_f16(p.d.as_ptr().add(at)), simd.load_i8(p.sub.as_ptr().add(sub)));
            let m = if R::MIN {
                simd.mul(simd.load_f16(p.m.as_ptr().add(at)), simd.load_u8(p.submin.as_ptr().add(sub)))
            } else {
                d
            };
            (d, m)
        } else {
            let at = (tile * p.blocks + kb) * TILE + row;
            let d = simd.load_f16(p.d.as_ptr().add(at));
            (d, if R::MIN { simd.load_f16(p.m.as_ptr().add(at)) } else { d })
        }
    }
}

/// Asks for weights that vectors to come will read, as many as vector `v` of `ROWS` rows from `start` reads now: in the
/// order in which they lie, which a processor's own prefetchers recognise.
#[inline(always)]
pub fn ahead<S: Simd, R: Reading, const ROWS: usize>(
    simd: S,
    p: &Planes,
    tile: usize,
    kb: usize,
    start: usize,
    v: usize,
) {
    let low = p.low.as_ptr().wrapping_add((tile * p.blocks + kb) * (R::LOW as usize) * TILE + start);
    let (lines, vectors) = (R::LOW as usize * ROWS / LINE, ROWS / S::LANES);
    for line in lines * v / vectors..lines * (v + 1) / vectors {
        let at = low.wrapping_add(line * LINE / ROWS * TILE + line * LINE % ROWS);
        simd.prefetch_far(at.wrapping_add(AHEAD[1]));
        simd.prefetch(at.wrapping_add(AHEAD[0]));
    }
}

/// Asks for what [`codes`] will read of the same rows' next block.
#[inline(always)]
pub fn next_block<S: Simd, R: Reading>(simd: S, p: &Planes, tile: usize, kb: usize, row: usize) {
    if row.is_multiple_of(LINE) {
        let low = p.low.as_ptr().wrapping_add((tile * p.blocks + kb + 1) * (R::LOW as usize) * TILE + row);
        for w in 0..R::LOW as usize {
            simd.prefetch(low.wrapping_add(w * TILE));
        }
    }
}
