//! x86-64 vectors of eight lanes: AVX2 with FMA and F16C, and the same with AVX-VNNI's 8-bit dot product.

#![allow(clippy::wildcard_imports)] // Dozens of intrinsics.
#![allow(unsafe_code)] // Intrinsics; the token types prove that the processor has them.

use super::{Dot, Kernel, Simd};
use std::arch::x86_64::*;

/// AVX2, FMA and F16C are there.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// AVX-VNNI is there too.
#[derive(Clone, Copy, Debug)]
pub struct AvxVnni(());

impl Avx2 {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        let found =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }
}

impl AvxVnni {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (Avx2::detect().is_some() && is_x86_feature_detected!("avxvnni")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn run_avx2<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
    kernel.run(simd)
}

#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
fn run_avxvnni<K: Kernel>(simd: AvxVnni, kernel: K) -> K::Output {
    kernel.run(simd)
}

/// The operations that both types share.
macro_rules! eight_lanes {
    ($token:ty, $name:literal, $run:ident, $narrow:ty, $wide:ty) => {
        // SAFETY of every block: the token proves AVX2, FMA and F16C; loads and stores are covered by the caller's contract.
        impl Simd for $token {
            type I = __m256i;
            type F = __m256;
            type Narrow = $narrow;
            type Wide = $wide;
            const LANES: usize = 8;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn run<K: Kernel>(self, kernel: K) -> K::Output {
                unsafe { $run(self, kernel) }
            }
            #[inline(always)]
            fn splat_i(self, x: u32) -> __m256i {
                unsafe { _mm256_set1_epi32(x as i32) }
            }
            #[inline(always)]
            unsafe fn load_i(self, from: *const u32) -> __m256i {
                unsafe { _mm256_loadu_si256(from.cast()) }
            }
            #[inline(always)]
            unsafe fn store_i(self, x: __m256i, to: *mut u32) {
                unsafe { _mm256_storeu_si256(to.cast(), x) }
            }
            #[inline(always)]
            fn and(self, a: __m256i, b: __m256i) -> __m256i {
                unsafe { _mm256_and_si256(a, b) }
            }
            #[inline(always)]
            fn or(self, a: __m256i, b: __m256i) -> __m256i {
                unsafe { _mm256_or_si256(a, b) }
            }
            #[inline(always)]
            fn add_i(self, a: __m256i, b: __m256i) -> __m256i {
                unsafe { _mm256_add_epi32(a, b) }
            }
            #[inline(always)]
            fn shr<const N: u32>(self, a: __m256i) -> __m256i {
                unsafe { _mm256_srl_epi32(a, _mm_cvtsi32_si128(N as i32)) }
            }
            #[inline(always)]
            fn shl<const N: u32>(self, a: __m256i) -> __m256i {
                unsafe { _mm256_sll_epi32(a, _mm_cvtsi32_si128(N as i32)) }
            }
            #[inline(always)]
            fn lookup(self, table: &[u8; 16], index: __m256i) -> __m256i {
                unsafe {
                    let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
                    _mm256_shuffle_epi8(table, index)
                }
            }
            #[inline(always)]
            fn splat(self, x: f32) -> __m256 {
                unsafe { _mm256_set1_ps(x) }
            }
            #[inline(always)]
            unsafe fn load(self, from: *const f32) -> __m256 {
                unsafe { _mm256_loadu_ps(from) }
            }
            #[inline(always)]
            unsafe fn store(self, x: __m256, to: *mut f32) {
                unsafe { _mm256_storeu_ps(to, x) }
            }
            #[inline(always)]
            unsafe fn load_f16(self, from: *const u16) -> __m256 {
                unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.cast())) }
            }
            #[inline(always)]
            unsafe fn store_f16(self, x: __m256, to: *mut u16) {
                unsafe { _mm_storeu_si128(to.cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x)) }
            }
            #[inline(always)]
            unsafe fn load_i8(self, from: *const i8) -> __m256 {
                unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast()))) }
            }
            #[inline(always)]
            unsafe fn load_u8(self, from: *const u8) -> __m256 {
                unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast()))) }
            }
            #[inline(always)]
            fn add(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_add_ps(a, b) }
            }
            #[inline(always)]
            fn sub(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_sub_ps(a, b) }
            }
            #[inline(always)]
            fn mul(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_mul_ps(a, b) }
            }
            #[inline(always)]
            fn div(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_div_ps(a, b) }
            }
            #[inline(always)]
            fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
                unsafe { _mm256_fmadd_ps(a, b, c) }
            }
            #[inline(always)]
            fn max(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_max_ps(a, b) }
            }
            #[inline(always)]
            fn min(self, a: __m256, b: __m256) -> __m256 {
                unsafe { _mm256_min_ps(a, b) }
            }
            #[inline(always)]
            fn to_f(self, x: __m256i) -> __m256 {
                unsafe { _mm256_cvtepi32_ps(x) }
            }
            #[inline(always)]
            fn to_i(self, x: __m256) -> __m256i {
                unsafe { _mm256_cvtps_epi32(x) }
            }
            #[inline(always)]
            fn bits_f(self, x: __m256i) -> __m256 {
                unsafe { _mm256_castsi256_ps(x) }
            }
            #[inline(always)]
            fn bits_i(self, x: __m256) -> __m256i {
                unsafe { _mm256_castps_si256(x) }
            }
            #[inline(always)]
            fn prefetch(self, at: *const u32) {
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            fn prefetch_far(self, at: *const u32) {
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
        }
    };
}

eight_lanes!(Avx2, "AVX2", run_avx2, Maddubs, Madd);
eight_lanes!(AvxVnni, "AVX-VNNI", run_avxvnni, Dpbusd, Dpbusd);

/// `vpmaddubsw`: pairs of products in 16 bits, which codes of 6 bits and fewer cannot overflow in a short chain.
pub struct Maddubs;

// SAFETY of every block: the token proves AVX2.
impl Dot<Avx2> for Maddubs {
    const STEPS: usize = 8;
    const SPLITS: bool = true;
    const DIRECT: bool = false;

    /// A pair is at most `2 * (2^bits - 1) * 128`; as many as stay within 32,767.
    #[inline(always)]
    fn chain(bits: u32) -> usize {
        match bits {
            0..=4 => 8,
            5 => 4,
            _ => 2,
        }
    }
    #[inline(always)]
    fn prepare(_: Avx2, c: [__m256i; 8]) -> [__m256i; 16] {
        [c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]
    }
    #[inline(always)]
    fn step(_: Avx2, sum: __m256i, codes: __m256i, activations: __m256i) -> __m256i {
        unsafe { _mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, activations)) }
    }
    #[inline(always)]
    fn widen(_: Avx2, total: __m256i, sum: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(total, _mm256_madd_epi16(sum, _mm256_set1_epi16(1))) }
    }
}

/// `vpmaddwd`: bytes widened to 16 bits; for each half of a block four vectors of even bytes, then four of odd ones.
pub struct Madd;

// SAFETY of every block: the token proves AVX2.
impl Dot<Avx2> for Madd {
    const STEPS: usize = 16;
    const SPLITS: bool = false;

    #[inline(always)]
    fn prepare(s: Avx2, c: [__m256i; 8]) -> [__m256i; 16] {
        let mask = s.splat_i(0x00ff_00ff);
        let mut w = [mask; 16];
        for i in 0..8 {
            w[i / 4 * 8 + i % 4] = s.and(c[i], mask);
            w[i / 4 * 8 + i % 4 + 4] = unsafe { _mm256_srli_epi16::<8>(c[i]) };
        }
        w
    }
    #[inline(always)]
    fn step(_: Avx2, sum: __m256i, codes: __m256i, activations: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(codes, activations)) }
    }
}

/// `vpdpbusd`: four products added to 32 bits.
pub struct Dpbusd;

// SAFETY of every block: the token proves AVX-VNNI.
impl Dot<AvxVnni> for Dpbusd {
    const STEPS: usize = 8;
    const SPLITS: bool = true;

    #[inline(always)]
    fn prepare(_: AvxVnni, c: [__m256i; 8]) -> [__m256i; 16] {
        [c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]
    }
    #[inline(always)]
    fn step(_: AvxVnni, sum: __m256i, codes: __m256i, activations: __m256i) -> __m256i {
        unsafe { _mm256_dpbusd_avx_epi32(sum, codes, activations) }
    }
}
