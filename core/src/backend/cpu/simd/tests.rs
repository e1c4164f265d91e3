//! Each operation of each instruction set against plain loops, on values where they are likely to differ.

#![allow(clippy::unwrap_used, unsafe_code)]

use super::super::math::{exp, tanh};
use super::{Isa, Kernel, Simd};

/// Lanes that every instruction set divides.
const LANES: usize = 16;

/// Inputs: floats of any kind, floats that fit an `i32`, and integers.
struct Inputs {
    any: [[f32; LANES]; 3],
    small: [f32; LANES],
    integers: [[u32; LANES]; 2],
}

/// Every operation by name, with the bits of its results; all that is not a number counts as the same.
struct Operations<'a>(&'a Inputs);

impl Kernel for Operations<'_> {
    type Output = Vec<(&'static str, [u32; LANES])>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Self::Output {
        let mut results: Self::Output = Vec::new();
        let Inputs { any, small, integers } = self.0;
        for at in (0..LANES).step_by(S::LANES) {
            // SAFETY: a vector from `at` stays within the lanes; an integer lane has room for a half or a byte.
            unsafe {
                let x = s.load(any[0].as_ptr().add(at));
                let y = s.load(any[1].as_ptr().add(at));
                let z = s.load(any[2].as_ptr().add(at));
                let few = s.load(small.as_ptr().add(at));
                let i = s.load_i(integers[0].as_ptr().add(at));
                let j = s.load_i(integers[1].as_ptr().add(at));
                let words = integers[0].as_ptr();
                let table = std::array::from_fn(|n| 255 - 9 * n as u8);
                let mut halves = [0; LANES];
                s.store_f16(x, halves.as_mut_ptr());
                let halves = halves.map(|h| if h & 0x7fff > 0x7c00 { 0x7e00 } else { u32::from(h) });
                let vectors = [
                    ("and", s.and(i, j)),
                    ("or", s.or(i, j)),
                    ("add_i", s.add_i(i, j)),
                    ("shr 1", s.shr::<1>(i)),
                    ("shr 6", s.shr::<6>(i)),
                    ("shl 8", s.shl::<8>(i)),
                    ("shl 23", s.shl::<23>(i)),
                    ("lookup", s.lookup(&table, s.and(i, s.splat_i(0x0f0f_0f0f)))),
                    ("to_i", s.to_i(few)),
                    ("bits", s.bits_i(s.bits_f(i))),
                    ("store_f16", s.load_i(halves.as_ptr())),
                ];
                let floats = [
                    ("add", s.add(x, y)),
                    ("sub", s.sub(x, y)),
                    ("mul", s.mul(x, y)),
                    ("div", s.div(x, y)),
                    ("fma", s.fma(x, y, z)),
                    ("max", s.max(x, y)),
                    ("min", s.min(x, y)),
                    ("to_f", s.to_f(i)),
                    ("load_f16", s.load_f16(words.cast::<u16>().add(at))),
                    ("load_i8", s.load_i8(words.cast::<i8>().add(at))),
                    ("load_u8", s.load_u8(words.cast::<u8>().add(at))),
                    ("exp", exp(s, few)),
                    ("tanh", tanh(s, few)),
                ];
                let count = vectors.len() + floats.len();
                results.resize(count, ("", [0; LANES]));
                for (to, (name, x)) in results.iter_mut().zip(vectors) {
                    to.0 = name;
                    s.store_i(x, to.1.as_mut_ptr().add(at));
                }
                for (to, (name, x)) in results[vectors.len()..].iter_mut().zip(floats) {
                    let mut lanes = [0.0; LANES];
                    s.store(x, lanes.as_mut_ptr());
                    to.0 = name;
                    for (to, x) in to.1[at..].iter_mut().zip(&lanes[..S::LANES]) {
                        *to = if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
                    }
                }
            }
        }
        results
    }
}

#[test]
fn operations_give_the_same_bits_everywhere() {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    let odd = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 65520.0, 65519.0, 6e-8, 3e-8, 1.000_488_3, 1e-40];
    for round in 0..500 {
        // By turns: any bits, sizes that meet, and the odd ones among both.
        let mut float = || match (round % 3, random()) {
            (0, bits) => f32::from_bits(bits),
            (1, bits) => (bits as i32 >> 8) as f32 / 65536.0,
            (_, bits) => odd.get(bits as usize % 16).copied().unwrap_or(f32::from_bits(bits)),
        };
        let any = [0; 3].map(|_| std::array::from_fn(|_| float()));
        let inputs = Inputs {
            any,
            small: std::array::from_fn(|_| (random() as i32 >> 22) as f32 / 4.0),
            integers: [0; 2].map(|_| std::array::from_fn(|_| random())),
        };
        let plain = Isa::available()[0].run(Operations(&inputs));
        for isa in Isa::available() {
            for (plain, other) in plain.iter().zip(isa.run(Operations(&inputs))) {
                assert_eq!(*plain, other, "on {}, round {round}, {:?}", isa.name(), inputs.any);
            }
        }
    }
}
