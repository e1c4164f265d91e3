//! Attention over the cache: scores, softmax and weighted values in one walk over blocks of positions (online softmax,
//! arXiv 1805.02867 and 2205.14135).
//!
//! Blocks of [`SPAN`] positions are aligned to absolute positions and taken in order, so a query's result depends
//! neither on the chunk it came in nor on the queries beside it.

#![allow(unsafe_code)] // Pointer walks over the cache and the arena.

use super::kv::KEYS;
use super::math::{exp, tanh};
use super::simd::Simd;

/// Positions of a block of the walk; a multiple of [`KEYS`].
pub const SPAN: usize = 64;
/// Most queries of one call.
pub const QUERIES: usize = 32;
/// Columns of keys that are widened at a time, so that they stay in the first-level cache.
const COLUMNS: usize = 128;
/// Floats of the buffer for widened keys or values.
const WIDENED: usize = if COLUMNS * KEYS > SPAN * 2 * 16 { COLUMNS * KEYS } else { SPAN * 2 * 16 };

/// A cache element, as stored.
pub trait Element: Copy + 'static {
    /// # Safety
    /// See [`Simd`].
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F;
    /// # Safety
    /// See [`Simd`].
    unsafe fn store<S: Simd>(simd: S, x: S::F, to: *mut Self);
    /// `rows` rows of `len` elements, `stride` apart, as floats: where they lie if they are floats, else widened into
    /// `buffer` side by side. Returns where they begin and how far rows are apart.
    ///
    /// # Safety
    /// See [`Simd`]; `len` is a multiple of the vector's lanes.
    unsafe fn floats<S: Simd>(
        simd: S,
        from: *const Self,
        rows: usize,
        stride: usize,
        len: usize,
        buffer: *mut f32,
    ) -> (*const f32, usize);
}

impl Element for u16 {
    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { simd.load_f16(from) }
    }
    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, x: S::F, to: *mut Self) {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { simd.store_f16(x, to) }
    }
    #[inline(always)]
    unsafe fn floats<S: Simd>(
        simd: S,
        from: *const Self,
        rows: usize,
        stride: usize,
        len: usize,
        buffer: *mut f32,
    ) -> (*const f32, usize) {
        for row in 0..rows {
            for i in (0..len).step_by(S::LANES) {
                // SAFETY: whole vectors of the caller's rows; the buffer has room for all of them.
                unsafe { simd.store(simd.load_f16(from.add(row * stride + i)), buffer.add(row * len + i)) };
            }
        }
        (buffer, len)
    }
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { simd.load(from) }
    }
    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, x: S::F, to: *mut Self) {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { simd.store(x, to) }
    }
    #[inline(always)]
    unsafe fn floats<S: Simd>(
        _: S,
        from: *const Self,
        _: usize,
        stride: usize,
        _: usize,
        _: *mut f32,
    ) -> (*const f32, usize) {
        (from, stride)
    }
}

/// One key/value head of a layer's cache.
#[derive(Clone, Copy)]
pub struct Head<T> {
    /// `[capacity / 16][head_dim][16]`
    pub keys: *mut T,
    /// `[capacity][head_dim]`
    pub values: *mut T,
    /// Positions in the ring.
    pub capacity: usize,
    /// Floats in a head.
    pub head_dim: usize,
}

/// Writes one position's key and value, `[head_dim]` each.
///
/// # Safety
/// The head's pointers must be valid, and no other thread may touch this position meanwhile.
#[inline(always)]
pub unsafe fn append<S: Simd, T: Element + Default>(
    simd: S,
    head: Head<T>,
    position: usize,
    key: &[f32],
    value: &[f32],
) {
    let at = position % head.capacity;
    // SAFETY: `at` is within the capacity; whole vectors stay within `head_dim`, the rest goes through a padded buffer.
    unsafe {
        let keys = head.keys.add(at / KEYS * head.head_dim * KEYS + at % KEYS);
        let values = head.values.add(at * head.head_dim);
        let mut pad = [0.0f32; 16];
        let mut stored = [T::default(); 16];
        for from in (0..head.head_dim).step_by(S::LANES) {
            let n = S::LANES.min(head.head_dim - from);
            pad[..n].copy_from_slice(&key[from..from + n]);
            T::store(simd, simd.load(pad.as_ptr()), stored.as_mut_ptr());
            for (i, x) in stored[..n].iter().enumerate() {
                *keys.add((from + i) * KEYS) = *x;
            }
            pad[..n].copy_from_slice(&value[from..from + n]);
            T::store(simd, simd.load(pad.as_ptr()), stored.as_mut_ptr());
            std::ptr::copy_nonoverlapping(stored.as_ptr(), values.add(from), n);
        }
    }
}

/// One query head of one row.
#[derive(Clone, Copy)]
pub struct Query {
    /// `[head_dim]`
    pub q: *const f32,
    /// `[head_dim]`
    pub out: *mut f32,
    /// First position that it sees.
    pub from: usize,
    /// One past the last.
    pub to: usize,
}

/// Attention of up to [`QUERIES`] queries over one key/value head.
///
/// Keys and values are widened once for all queries.
///
/// # Safety
/// All pointers must be valid; positions that a query sees must have been appended and still be in the ring.
#[inline(always)]
pub unsafe fn attend<S: Simd, T: Element>(simd: S, head: Head<T>, queries: &[Query], scale: f32, softcap: Option<f32>) {
    let mut max = [f32::NEG_INFINITY; QUERIES];
    let mut sum = [0.0f32; QUERIES];
    let mut scores = [[0.0f32; SPAN]; QUERIES];
    let dim = head.head_dim;
    let first = queries.iter().map(|q| q.from).min().unwrap_or(0) / SPAN * SPAN;
    let last = queries.iter().map(|q| q.to).max().unwrap_or(0);
    // SAFETY: `out` has `head_dim` floats.
    unsafe {
        for q in queries {
            std::slice::from_raw_parts_mut(q.out, dim).fill(0.0);
        }
        for start in (first..last).step_by(SPAN) {
            let end = last.min(start + SPAN);
            score_span(simd, head, start..end, queries, &mut scores);
            for (i, q) in queries.iter().enumerate() {
                let seen = q.from.max(start)..q.to.min(end);
                if seen.is_empty() {
                    scores[i].fill(0.0);
                    continue;
                }
                let seen = seen.start - start..seen.end - start;
                let out = std::slice::from_raw_parts_mut(q.out, dim);
                cap(simd, &mut scores[i], scale, softcap);
                soften(simd, &mut scores[i], seen, &mut max[i], &mut sum[i], out);
            }
            weigh_span(simd, head, start..end, queries, &scores);
        }
        for (i, q) in queries.iter().enumerate() {
            let inverse = 1.0 / sum[i];
            for x in std::slice::from_raw_parts_mut(q.out, dim) {
                *x *= inverse;
            }
        }
    }
}

/// Products of all queries with a span's keys.
///
/// # Safety
/// See [`attend`].
#[inline(always)]
unsafe fn score_span<S: Simd, T: Element>(
    simd: S,
    head: Head<T>,
    span: std::ops::Range<usize>,
    queries: &[Query],
    scores: &mut [[f32; SPAN]; QUERIES],
) {
    let dim = head.head_dim;
    let mut widened = [std::mem::MaybeUninit::<f32>::uninit(); WIDENED];
    for (b, position) in span.step_by(KEYS).enumerate() {
        for from in (0..dim).step_by(COLUMNS) {
            let columns = COLUMNS.min(dim - from);
            // SAFETY: a block of keys has `dim` columns of KEYS positions; queries have `dim` floats, scores KEYS here.
            unsafe {
                let block = head.keys.add((position % head.capacity / KEYS * dim + from) * KEYS);
                let (keys, _) = T::floats(simd, block, columns, KEYS, KEYS, widened.as_mut_ptr().cast());
                let mut i = 0;
                macro_rules! together {
                    ($n:literal) => {
                        while queries.len() - i >= $n {
                            let mut q = [std::ptr::null(); $n];
                            let mut rows = [std::ptr::null_mut(); $n];
                            for j in 0..$n {
                                q[j] = queries[i + j].q.wrapping_add(from);
                                rows[j] = scores[i + j].as_mut_ptr().wrapping_add(b * KEYS);
                            }
                            score::<S, $n>(simd, keys, columns, from == 0, q, rows);
                            i += $n;
                        }
                    };
                }
                if S::LANES == KEYS {
                    together!(8);
                }
                together!(4);
                together!(1);
            }
        }
    }
}

/// Products of `C` queries with some columns of a block of [`KEYS`] keys, added to what the columns before gave.
#[inline(always)]
unsafe fn score<S: Simd, const C: usize>(
    simd: S,
    keys: *const f32,
    columns: usize,
    first: bool,
    q: [*const f32; C],
    out: [*mut f32; C],
) {
    // Two vectors of positions at a time, or the one that holds all.
    for v in (0..KEYS).step_by(2 * S::LANES) {
        let two = v + S::LANES < KEYS;
        let mut acc = [[simd.splat(0.0); 2]; C];
        // SAFETY: `columns` columns of KEYS positions, as many floats of each query, KEYS scores of each row.
        unsafe {
            if !first {
                for c in 0..C {
                    acc[c][0] = simd.load(out[c].add(v));
                    if two {
                        acc[c][1] = simd.load(out[c].add(v + S::LANES));
                    }
                }
            }
            for d in 0..columns {
                let k0 = simd.load(keys.add(d * KEYS + v));
                let k1 = if two { simd.load(keys.add(d * KEYS + v + S::LANES)) } else { k0 };
                for c in 0..C {
                    let x = simd.splat(*q[c].add(d));
                    acc[c][0] = simd.fma(x, k0, acc[c][0]);
                    if two {
                        acc[c][1] = simd.fma(x, k1, acc[c][1]);
                    }
                }
            }
            for c in 0..C {
                simd.store(acc[c][0], out[c].add(v));
                if two {
                    simd.store(acc[c][1], out[c].add(v + S::LANES));
                }
            }
        }
    }
}

/// Scales a block's scores and caps them.
#[inline(always)]
fn cap<S: Simd>(simd: S, row: &mut [f32; SPAN], scale: f32, softcap: Option<f32>) {
    for i in (0..SPAN).step_by(S::LANES) {
        // SAFETY: whole vectors of a row of SPAN floats.
        unsafe {
            let at = row.as_mut_ptr().add(i);
            let mut x = simd.mul(simd.load(at), simd.splat(scale));
            if let Some(cap) = softcap {
                x = simd.mul(simd.splat(cap), tanh(simd, simd.mul(x, simd.splat(1.0 / cap))));
            }
            simd.store(x, at);
        }
    }
}

/// Turns a block's scores into weights, zero for those not `seen`, and brings the running sum and output to the new
/// maximum.
#[inline(always)]
fn soften<S: Simd>(
    simd: S,
    row: &mut [f32; SPAN],
    seen: std::ops::Range<usize>,
    max: &mut f32,
    sum: &mut f32,
    out: &mut [f32],
) {
    row[..seen.start].fill(f32::NEG_INFINITY);
    row[seen.end..].fill(f32::NEG_INFINITY);
    // SAFETY: whole vectors of a row of SPAN floats.
    unsafe {
        let mut peaks = simd.splat(f32::NEG_INFINITY);
        for i in (0..SPAN).step_by(S::LANES) {
            peaks = simd.max(peaks, simd.load(row.as_ptr().add(i)));
        }
        let mut lanes = [f32::NEG_INFINITY; 16];
        simd.store(peaks, lanes.as_mut_ptr());
        let mut width = 8;
        while width > 0 {
            for i in 0..width {
                lanes[i] = if lanes[i + width] > lanes[i] { lanes[i + width] } else { lanes[i] };
            }
            width /= 2;
        }
        let peak = if lanes[0] > *max { lanes[0] } else { *max };
        // The first block starts from nothing: its factor is e^-inf, taken as 0.
        let factor = if max.is_finite() { scalar_exp(simd, *max - peak) } else { 0.0 };
        let mut total = [0.0f32; 16];
        for i in (0..SPAN).step_by(16) {
            for j in (i..i + 16).step_by(S::LANES) {
                let at = row.as_mut_ptr().add(j);
                let e = exp(simd, simd.sub(simd.load(at), simd.splat(peak)));
                simd.store(e, at);
                let t = total.as_mut_ptr().add(j - i);
                simd.store(simd.add(simd.load(t), e), t);
            }
        }
        let mut width = 8;
        while width > 0 {
            for i in 0..width {
                total[i] += total[i + width];
            }
            width /= 2;
        }
        *sum = sum.mul_add(factor, total[0]);
        *max = peak;
        if factor != 1.0 {
            for x in out {
                *x *= factor;
            }
        }
    }
    row[..seen.start].fill(0.0);
    row[seen.end..].fill(0.0);
}

#[inline(always)]
fn scalar_exp<S: Simd>(simd: S, x: f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    // SAFETY: a vector has at most 16 lanes.
    unsafe { simd.store(exp(simd, simd.splat(x)), lanes.as_mut_ptr()) };
    lanes[0]
}

/// Adds a span's values, weighted, to all outputs.
///
/// # Safety
/// See [`attend`].
#[inline(always)]
unsafe fn weigh_span<S: Simd, T: Element>(
    simd: S,
    head: Head<T>,
    span: std::ops::Range<usize>,
    queries: &[Query],
    weights: &[[f32; SPAN]; QUERIES],
) {
    let dim = head.head_dim;
    let mut widened = [std::mem::MaybeUninit::<f32>::uninit(); WIDENED];
    let strip = 2 * S::LANES;
    let whole = dim - dim % strip;
    for (b, position) in span.clone().step_by(KEYS).enumerate() {
        let count = KEYS.min(span.end - position);
        // SAFETY: KEYS positions lie in the ring without a seam, since its capacity is a multiple of KEYS; columns stay
        // within `head_dim`.
        unsafe {
            let values = head.values.add(position % head.capacity * dim);
            for d in (0..whole).step_by(strip) {
                let (values, stride) = T::floats(simd, values.add(d), count, dim, strip, widened.as_mut_ptr().cast());
                let mut i = 0;
                macro_rules! together {
                    ($n:literal) => {
                        while queries.len() - i >= $n {
                            let mut rows = [std::ptr::null(); $n];
                            let mut out = [std::ptr::null_mut(); $n];
                            for j in 0..$n {
                                rows[j] = weights[i + j].as_ptr().wrapping_add(b * KEYS);
                                out[j] = queries[i + j].out.wrapping_add(d);
                            }
                            weigh::<S, $n>(simd, values, stride, count, rows, out);
                            i += $n;
                        }
                    };
                }
                together!(4);
                together!(1);
            }
            // Columns that do not fill two vectors, one at a time; the same sums.
            for d in whole..dim {
                for i in 0..count {
                    let mut lanes = [0.0f32; 16];
                    let element = [*values.add(i * dim + d); 16];
                    simd.store(T::load(simd, element.as_ptr()), lanes.as_mut_ptr());
                    for (q, weights) in queries.iter().zip(weights) {
                        *q.out.add(d) = weights[b * KEYS + i].mul_add(lanes[0], *q.out.add(d));
                    }
                }
            }
        }
    }
}

/// Adds `count` weighted values, in order, to two vectors of columns of `C` outputs.
#[inline(always)]
unsafe fn weigh<S: Simd, const C: usize>(
    simd: S,
    values: *const f32,
    stride: usize,
    count: usize,
    weights: [*const f32; C],
    out: [*mut f32; C],
) {
    let mut acc = [[simd.splat(0.0); 2]; C];
    // SAFETY: `count` values of two vectors, as many weights, two vectors of each output.
    unsafe {
        for c in 0..C {
            acc[c] = [simd.load(out[c]), simd.load(out[c].add(S::LANES))];
        }
        for i in 0..count {
            let v0 = simd.load(values.add(i * stride));
            let v1 = simd.load(values.add(i * stride + S::LANES));
            for c in 0..C {
                let w = simd.splat(*weights[c].add(i));
                acc[c][0] = simd.fma(w, v0, acc[c][0]);
                acc[c][1] = simd.fma(w, v1, acc[c][1]);
            }
        }
        for c in 0..C {
            simd.store(acc[c][0], out[c]);
            simd.store(acc[c][1], out[c].add(S::LANES));
        }
    }
}
