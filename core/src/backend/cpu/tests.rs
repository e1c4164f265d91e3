//! Kernels against plain arithmetic, and instruction sets against each other.

#![allow(clippy::unwrap_used, clippy::expect_used, unsafe_code)]

use super::activations::{Activations, Pointers};
use super::matmul::{PASS, Sums, UNIT, unit};
use super::simd::{Isa, Kernel, Simd};
use crate::quant::{FORMATS, Format, Packed};

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
    let mut activations = Activations::new(count, cols, wide, isa.multiplies_pairs());
    let pointers = activations.pointers(count);
    isa.run(Quantise(&pointers, x, cols));
    let mut out = vec![0.0; count * rows];
    let mut sums: Sums = [[0.0; UNIT]; PASS];
    for at in 0..rows.div_ceil(UNIT) {
        for first in (0..count).step_by(pass) {
            let n = pass.min(count - first);
            unit(isa, matrix, &pointers, at, first, n, &mut sums);
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
fn products_are_right_and_the_same_bits_everywhere() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (rows, cols, count) = (100, 512, 13);
    for format in FORMATS.iter().filter(|f| f.packed.is_some()) {
        let bytes = blocks(format, rows * cols, &mut random);
        let mut weights = vec![0.0; rows * cols];
        (format.dequantise)(&bytes, &mut weights);
        let matrix = Packed::pack(format, rows, cols, &bytes, 1, &|_| ()).unwrap();
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
