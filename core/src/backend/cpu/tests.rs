//! Kernels against plain arithmetic, and instruction sets against each other.

#![allow(clippy::unwrap_used, clippy::expect_used, unsafe_code)]

use super::activations::{Activations, Pointers};
use super::head::{Bounds, Halves};
use super::matmul::{PASS, STRIP, Sums, UNIT, unit};
use super::pool::Pool;
use super::simd::{Isa, Kernel, Simd};
use crate::backend::Best;
use crate::quant::{Arena, FORMATS, Format, Packed};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A small generator of its own, so that cases are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Roughly normal, deviation 1.
    fn normal(&mut self) -> f32 {
        (0..6).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32 - 0.5).sum::<f32>() * 1.41
    }
}

/// Random blocks of a format whose weights are finite and not absurd.
fn blocks(format: &Format, weights: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut values = vec![0.0; format.weights];
    for _ in 0..weights / format.weights {
        loop {
            let block: Vec<u8> = (0..format.bytes).map(|_| random.next() as u8).collect();
            (format.dequantise)(&block, &mut values);
            if values.iter().all(|x| x.is_finite() && x.abs() < 100.0) && values.iter().any(|x| x.abs() > 1e-3) {
                bytes.extend(block);
                break;
            }
        }
    }
    bytes
}

fn packed(format: &Format, rows: usize, cols: usize, bytes: &[u8]) -> Packed {
    let (layout, _) = format.packed.unwrap();
    let mut arena = Arena::new([Packed::size(layout, rows, cols)]).unwrap();
    Packed::pack(format, layout, rows, cols, bytes, 1, &mut arena, &|_| ()).unwrap()
}

struct Quantise<'a>(&'a Pointers, &'a [f32], usize);

impl Kernel for Quantise<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (row, x) in self.1.chunks_exact(self.2).enumerate() {
            // SAFETY: one thread, rows within the chunk.
            unsafe { self.0.quantise(row, x) };
        }
    }
}

/// All outputs of a product, `[count][weight rows]`, with the chunk's rows taken `pass` at a time.
fn product(isa: Isa, matrix: &Packed, x: &[f32], wide: bool, pass: usize) -> Vec<f32> {
    let (cols, rows) = (matrix.cols(), matrix.rows());
    let count = x.len() / cols;
    let mut activations = Activations::new(count, cols, isa.multiplies_pairs()).unwrap();
    let pointers = activations.pointers(count, wide);
    isa.run(Quantise(&pointers, x, cols));
    let mut out = vec![0.0; count * rows];
    let mut sums: Sums = [[0.0; UNIT]; PASS];
    for at in 0..rows.div_ceil(UNIT) {
        for first in (0..count).step_by(pass) {
            let n = pass.min(count - first);
            if pass == 1 {
                // As a chunk of one row would be, by strips and by units in turn.
                let strip = at / 2 % 2 == 0;
                let mut strip_sums = [0.0; STRIP];
                let (from, part) =
                    if strip { (at / 2 * STRIP, &mut strip_sums[..]) } else { (at * UNIT, &mut strip_sums[..UNIT]) };
                super::matmul::rows(isa, matrix, &pointers, from, first, part);
                sums[0].copy_from_slice(&part[at * UNIT - from..][..UNIT]);
            } else {
                unit(isa, matrix, &pointers, at, first, n, &mut sums);
            }
            for (i, sums) in sums[..n].iter().enumerate() {
                for (r, sum) in sums.iter().enumerate().take(rows - at * UNIT) {
                    out[(first + i) * rows + at * UNIT + r] = *sum;
                }
            }
        }
    }
    out
}

#[test]
fn memory_that_no_machine_has_is_refused() {
    let refused = Activations::new(1 << 16, usize::MAX, true).err();
    assert_eq!(refused.map(|error| error.kind()), Some("out_of_memory"));
}

/// Where the processor is known, as under an emulator: a kernel that is not detected would be left out silently.
#[test]
fn the_expected_instruction_set_is_found() {
    if let Ok(expected) = std::env::var("KINGLET_EXPECT_ISA") {
        assert_eq!(Isa::best().name(), expected);
    }
}

#[test]
fn products_are_right_and_the_same_bits_everywhere() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (rows, cols, count) = (100, 512, 13);
    for format in FORMATS.iter().filter(|f| f.packed.is_some()) {
        let bytes = blocks(format, rows * cols, &mut random);
        let mut weights = vec![0.0; rows * cols];
        (format.dequantise)(&bytes, &mut weights);
        let matrix = packed(format, rows, cols, &bytes);
        let x: Vec<f32> = (0..count * cols).map(|i| random.normal() * if i % 97 == 0 { 50.0 } else { 1.0 }).collect();
        for wide in [true, false] {
            let plain = product(Isa::available()[0], &matrix, &x, wide, 1);
            for (i, y) in plain.iter().enumerate() {
                let (w, x) = (&weights[i % rows * cols..][..cols], &x[i / rows * cols..][..cols]);
                let exact: f64 = w.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                let size: f64 = w.iter().zip(x).map(|(w, x)| f64::from(w * x).powi(2)).sum::<f64>().sqrt();
                let error = (f64::from(*y) - exact).abs() / size;
                assert!(
                    error < if wide { 2e-3 } else { 0.3 },
                    "{format:?} wide {wide} output {i}: {y}, exactly {exact}"
                );
            }
            for isa in Isa::available() {
                for pass in [1, 2, 5, 6, 13] {
                    let other = product(isa, &matrix, &x, wide, pass);
                    let differs = plain.iter().zip(&other).position(|(a, b)| a.to_bits() != b.to_bits());
                    assert_eq!(differs, None, "{format:?} wide {wide} on {} by {pass}", isa.name());
                }
            }
        }
    }
}

#[test]
fn halved_codes_give_the_same_bits() {
    let mut random = Random(11);
    let (rows, cols, count) = (200, 320, 3);
    let format = FORMATS.iter().find(|f| f.name == "Q8_0").unwrap();
    let bytes = blocks(format, rows * cols, &mut random);
    let (layout, _) = format.packed.unwrap();
    let halved = layout.halved().unwrap();
    let mut arena = Arena::new([Packed::size(halved, rows, cols)]).unwrap();
    let halves = Packed::pack(format, halved, rows, cols, &bytes, 1, &mut arena, &|_| ()).unwrap();
    let whole = packed(format, rows, cols, &bytes);
    let (mut a, mut b) = (vec![0.0; cols], vec![1.0; cols]);
    for row in 0..rows {
        whole.unpack_row(row, &mut a);
        halves.unpack_row(row, &mut b);
        assert_eq!(a, b, "row {row}");
    }
    let x: Vec<f32> = (0..count * cols).map(|_| random.normal()).collect();
    for wide in [true, false] {
        let expected = product(Isa::available()[0], &whole, &x, wide, 1);
        for isa in Isa::available() {
            for pass in [1, 3] {
                assert!(expected == product(isa, &halves, &x, wide, pass), "{} wide {wide} by {pass}", isa.name());
            }
        }
    }
}

/// On every instruction set: what is left out is too small, what is there is to the bit what the whole head gives.
#[test]
fn halves_find_the_greatest() {
    let mut random = Random(5);
    let (rows, cols) = (64 * 40 + 7, 320);
    let format = FORMATS.iter().find(|f| f.name == "Q8_0").unwrap();
    let bytes = blocks(format, rows * cols, &mut random);
    let halved = format.packed.unwrap().0.halved().unwrap();
    let mut arena = Arena::new([Packed::size(halved, rows, cols)]).unwrap();
    let matrix = Packed::pack(format, halved, rows, cols, &bytes, 1, &mut arena, &|_| ()).unwrap();
    // Close to one row, whose logit then stands out, as one does in text.
    let mut x = vec![0.0; cols];
    matrix.unpack_row(2565, &mut x);
    for x in &mut x {
        *x += 0.1 * random.normal();
    }
    for wide in [true, false] {
        let whole = product(Isa::available()[0], &matrix, &x, wide, 1);
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|a, b| whole[*b].total_cmp(&whole[*a]));
        for isa in Isa::available() {
            for best in [1, 3] {
                let mut activations = Activations::new(1, cols, isa.multiplies_pairs()).unwrap();
                let pointers = activations.pointers(1, wide);
                isa.run(Quantise(&pointers, &x, cols));
                let mut bounds = vec![Bounds::default(); rows.div_ceil(UNIT)];
                let mut logits = vec![f32::NAN; rows];
                let (at, to) = (bounds.as_mut_ptr(), logits.as_mut_ptr());
                let halves = Halves { matrix: &matrix, x: pointers, best: Best::of(best), bounds: at, logits: to };
                Pool::new(2).run(|team| halves.run(isa, team));
                let left_out = logits.iter().filter(|x| **x == f32::NEG_INFINITY).count();
                assert!(left_out > rows / 2, "{}: {left_out} left out", isa.name());
                for (at, logit) in logits.iter().enumerate() {
                    let among = order[..best].contains(&at);
                    assert!(*logit == whole[at] || *logit == f32::NEG_INFINITY && !among, "{} row {at}", isa.name());
                }
            }
        }
    }
}

/// Each task of each job is done once, whatever the number of threads was before and however late a thread wakes up.
#[test]
fn a_pool_uses_as_many_threads_as_it_is_told() {
    let mut pool = Pool::new(4);
    for round in 0..2000_usize {
        let used = [4, 1, 3, 2, 9, 0][round % 6];
        pool.use_threads(used);
        let done: Vec<_> = (0..13).map(|_| AtomicUsize::new(0)).collect();
        pool.run(|team| {
            assert!(team.index < team.threads() && team.threads() == used.clamp(1, 4));
            for _ in 0..2 {
                team.each(done.len(), |task| {
                    done[task].fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 2), "round {round}");
    }
}
