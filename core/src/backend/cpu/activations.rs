//! Activations as integers: 32 columns share one f32 scale, values are 8 or 16 bits.
//!
//! 16-bit values are kept as two planes of signed bytes, `256 * hi + lo`, since the dot products of today's
//! processors multiply bytes; those that multiply 16 bits get the values in pairs too.
//! A chunk of rows lies block by block, `[block][row]`, because the kernels walk all rows of one block of weights.

use super::zeros;
use crate::Result;
use crate::quant::BLOCK;
use bytemuck::Zeroable;

/// Words of both byte planes of a block, and words of its pairs.
const WORDS: usize = 16;
/// What memory is asked for.
const WHAT: &str = "a chunk's activations";

/// What kernels need beside a block's values. Groups are the block's halves of 16 columns.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Zeroable)]
pub struct Scale {
    /// Activation = `scale` times integer.
    pub scale: f32,
    /// Sum of the integers.
    pub sum: i32,
    /// Sums of the integers by group.
    pub group_sum: [i32; 2],
    /// Sum of the activations: `scale * sum`.
    pub total: f32,
    /// Sums of the activations by group.
    pub group_total: [f32; 2],
    /// Sum of the activations' squares.
    pub energy: f32,
}

/// A chunk of quantised rows.
pub struct Activations {
    /// Columns / 32.
    blocks: usize,
    /// `[block][row][16]`: upper bytes in the first 8 words, lower bytes in the next 8 (8-bit: only the first 8).
    planes: Vec<u32>,
    /// `[block][row][16]`: 16-bit values two a word, in the order of [`super::simd::Dot::prepare`]'s 16 vectors; empty where unused.
    pairs: Vec<u32>,
    /// `[block][row]`
    scales: Vec<Scale>,
}

impl Activations {
    /// Room for `rows` rows of at most `cols` columns.
    pub fn new(rows: usize, cols: usize, with_pairs: bool) -> Result<Self> {
        let blocks = cols.div_ceil(BLOCK);
        let all = rows.saturating_mul(blocks);
        let words = all.saturating_mul(WORDS);
        Ok(Self {
            blocks,
            planes: zeros(words, WHAT)?,
            pairs: zeros(if with_pairs { words } else { 0 }, WHAT)?,
            scales: zeros(all, WHAT)?,
        })
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        size_of::<u32>() * (self.planes.len() + self.pairs.len()) + size_of::<Scale>() * self.scales.len()
    }

    /// Bytes that [`Self::new`] would take.
    pub fn size(rows: usize, cols: usize, with_pairs: bool) -> usize {
        let words = if with_pairs { 2 * WORDS } else { WORDS };
        rows.saturating_mul(cols.div_ceil(BLOCK)).saturating_mul(size_of::<u32>() * words + size_of::<Scale>())
    }

    /// Pointers for the kernels, for a chunk of `rows` rows of 16 bits (`wide`) or 8.
    pub fn pointers(&mut self, rows: usize, wide: bool) -> Pointers {
        Pointers {
            rows,
            wide,
            with_pairs: !self.pairs.is_empty(),
            blocks: self.blocks,
            planes: self.planes.as_mut_ptr(),
            pairs: self.pairs.as_mut_ptr(),
            scales: self.scales.as_mut_ptr(),
        }
    }
}

/// Where a chunk's quantised rows lie; threads write different rows, then all read.
#[derive(Clone, Copy)]
pub struct Pointers {
    rows: usize,
    wide: bool,
    with_pairs: bool,
    blocks: usize,
    planes: *mut u32,
    pairs: *mut u32,
    scales: *mut Scale,
}

#[allow(unsafe_code)]
// SAFETY: the stages write different rows from different threads and read after a barrier.
unsafe impl Send for Pointers {}
#[allow(unsafe_code)]
// SAFETY: see above.
unsafe impl Sync for Pointers {}

#[allow(unsafe_code)]
impl Pointers {
    /// The same memory for another number of rows, at most the chunk's, and other bits.
    pub fn with(&self, rows: usize, wide: bool) -> Self {
        Self { rows, wide, ..*self }
    }

    /// Rows of the chunk.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether values have 16 bits.
    pub fn wide(&self) -> bool {
        self.wide
    }

    /// The byte planes of a block of a row: 16 words.
    #[inline(always)]
    pub fn planes(&self, block: usize, row: usize) -> *const u32 {
        debug_assert!(block < self.blocks && row < self.rows);
        // SAFETY: `block` and `row` are within what `new` made room for.
        unsafe { self.planes.add((block * self.rows + row) * WORDS) }
    }

    /// The pairs of a block of a row: 16 words.
    #[inline(always)]
    pub fn pairs(&self, block: usize, row: usize) -> *const u32 {
        debug_assert!(self.with_pairs && block < self.blocks && row < self.rows);
        // SAFETY: `block` and `row` are within what `new` made room for.
        unsafe { self.pairs.add((block * self.rows + row) * WORDS) }
    }

    /// The scale of a block of a row.
    #[inline(always)]
    pub fn scale(&self, block: usize, row: usize) -> &Scale {
        debug_assert!(block < self.blocks && row < self.rows);
        // SAFETY: `block` and `row` are within what `new` made room for.
        unsafe { &*self.scales.add(block * self.rows + row) }
    }

    /// Quantises one row of `x.len()` columns, a multiple of 32. Inline, to be compiled for the kernel's instruction set.
    ///
    /// # Safety
    /// No other thread may touch this row meanwhile, and `x` may not be longer than what `new` made room for.
    #[inline(always)]
    pub unsafe fn quantise(&self, row: usize, x: &[f32]) {
        debug_assert!(row < self.rows && x.len() <= self.blocks * BLOCK);
        let limit = if self.wide { WIDE_LIMIT } else { NARROW_LIMIT };
        for (block, x) in x.as_chunks::<BLOCK>().0.iter().enumerate() {
            let (q, scale) = quantise_block(x, limit);
            let at = block * self.rows + row;
            // SAFETY: within what `new` made room for, and this thread's alone.
            unsafe {
                *self.scales.add(at) = scale;
                let [first, second] = &mut *self.planes.add(at * WORDS).cast::<[[u32; 8]; 2]>();
                if self.wide {
                    // 256 * upper + lower, both signed: the lower byte is the value's own.
                    let mut upper = q;
                    for x in &mut upper {
                        *x = (*x + 128) >> 8;
                    }
                    bytes_to_words(&upper, first);
                    bytes_to_words(&q, second);
                } else {
                    bytes_to_words(&q, first);
                }
                if self.with_pairs {
                    *self.pairs.add(at * WORDS).cast::<[u32; WORDS]>() = pairs_to_words(&q);
                }
            }
        }
    }
}

/// Greatest 8-bit value.
const NARROW_LIMIT: f32 = 127.0;
/// Greatest 16-bit value whose upper byte, rounded, is a signed byte.
const WIDE_LIMIT: f32 = 127.0 * 256.0;

/// Integers of a block, rounded to nearest even, and their scale. What is not finite makes a scale that is not finite.
#[inline(always)]
fn quantise_block(x: &[f32; BLOCK], limit: f32) -> ([i32; BLOCK], Scale) {
    // A float of this size has no bits after the point, so adding it rounds, and its lowest bits are the integer.
    const ROUND: f32 = 12_582_912.0;
    // Without their signs, floats are in the order of their bits, and what is not a number comes last.
    let mut peak = 0;
    for x in x {
        let bits = x.abs().to_bits();
        peak = if bits > peak { bits } else { peak };
    }
    let peak = f32::from_bits(peak);
    let inverse = if peak > 0.0 { limit / peak } else { 0.0 };
    // A subnormal peak would make the inverse infinite; such a block is as good as zero. The scale is a product, which a GPU
    // rounds the same.
    let (inverse, scale) = if inverse.is_finite() { (inverse, peak * (1.0 / limit)) } else { (0.0, peak * 0.0) };
    let mut q = [0i32; BLOCK];
    for (q, x) in q.iter_mut().zip(x) {
        *q = ((x * inverse + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    }
    if !scale.is_finite() {
        q = [0; BLOCK];
    }
    let mut group_sum = [0; 2];
    for (sum, q) in group_sum.iter_mut().zip(q.as_chunks::<16>().0) {
        for q in q {
            *sum += q;
        }
    }
    let sum: i32 = group_sum[0] + group_sum[1];
    let mut energy = [0.0; 16];
    for x in x.as_chunks::<16>().0 {
        for (sum, x) in energy.iter_mut().zip(x) {
            *sum += x * x;
        }
    }
    let mut width = 8;
    while width > 0 {
        for i in 0..width {
            energy[i] += energy[i + width];
        }
        width /= 2;
    }
    let group_total = [scale * group_sum[0] as f32, scale * group_sum[1] as f32];
    (q, Scale { scale, sum, group_sum, total: scale * sum as f32, group_total, energy: energy[0] })
}

/// Lowest bytes, four a word.
///
/// No closures here (see the module of the products): what `map` calls is compiled without the kernel's instructions.
#[inline(always)]
fn bytes_to_words(q: &[i32; BLOCK], words: &mut [u32; 8]) {
    let mut bytes = [0u8; BLOCK];
    for i in 0..BLOCK {
        bytes[i] = q[i] as u8;
    }
    *words = bytemuck::cast(bytes);
    for word in words {
        *word = u32::from_le(*word);
    }
}

/// Lowest halves, two a word: for each group of 16 columns four words of columns `4i, 4i+2`, then four of `4i+1, 4i+3`.
#[inline(always)]
fn pairs_to_words(q: &[i32; BLOCK]) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    for (i, q) in q.as_chunks::<4>().0.iter().enumerate() {
        let [a, b, c, d] = *q;
        let at = i / 4 * 8 + i % 4;
        words[at] = a as u32 & 0xffff | (c as u32) << 16;
        words[at + 4] = b as u32 & 0xffff | (d as u32) << 16;
    }
    words
}
