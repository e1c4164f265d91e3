//! ARM vectors of four lanes: plain ARMv8, with `sdot` (ARMv8.2 dotprod), and with `usdot` (ARMv8.6 i8mm).

#![allow(clippy::wildcard_imports)] // Dozens of intrinsics.
#![allow(unsafe_code)] // Intrinsics and assembly; the token types prove that the processor has them.

use super::{Dot, Kernel, Simd};
use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

/// ARMv8.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

/// With `sdot`.
#[derive(Clone, Copy, Debug)]
pub struct NeonDot(());

/// With `usdot` too.
#[derive(Clone, Copy, Debug)]
pub struct NeonI8mm(());

impl Neon {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

impl NeonDot {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (Neon::detect().is_some() && is_aarch64_feature_detected!("dotprod")).then_some(Self(()))
    }
}

impl NeonI8mm {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (NeonDot::detect().is_some() && is_aarch64_feature_detected!("i8mm")).then_some(Self(()))
    }
}

#[target_feature(enable = "neon")]
fn run_neon<K: Kernel>(simd: Neon, kernel: K) -> K::Output {
    kernel.run(simd)
}

#[target_feature(enable = "neon,dotprod")]
fn run_dot<K: Kernel>(simd: NeonDot, kernel: K) -> K::Output {
    kernel.run(simd)
}

#[target_feature(enable = "neon,dotprod,i8mm")]
fn run_i8mm<K: Kernel>(simd: NeonI8mm, kernel: K) -> K::Output {
    kernel.run(simd)
}

/// The operations that all types share.
macro_rules! four_lanes {
    ($token:ty, $name:literal, $run:ident, $narrow:ty, $wide:ty) => {
        // SAFETY of every block: the token proves NEON; loads and stores are covered by the caller's contract.
        impl Simd for $token {
            type I = uint32x4_t;
            type F = float32x4_t;
            type Narrow = $narrow;
            type Wide = $wide;
            const LANES: usize = 4;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn run<K: Kernel>(self, kernel: K) -> K::Output {
                unsafe { $run(self, kernel) }
            }
            #[inline(always)]
            fn splat_i(self, x: u32) -> uint32x4_t {
                unsafe { vdupq_n_u32(x) }
            }
            #[inline(always)]
            unsafe fn load_i(self, from: *const u32) -> uint32x4_t {
                unsafe { vld1q_u32(from) }
            }
            #[inline(always)]
            unsafe fn store_i(self, x: uint32x4_t, to: *mut u32) {
                unsafe { vst1q_u32(to, x) }
            }
            #[inline(always)]
            fn and(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
                unsafe { vandq_u32(a, b) }
            }
            #[inline(always)]
            fn or(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
                unsafe { vorrq_u32(a, b) }
            }
            #[inline(always)]
            fn add_i(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
                unsafe { vaddq_u32(a, b) }
            }
            #[inline(always)]
            fn shr<const N: u32>(self, a: uint32x4_t) -> uint32x4_t {
                unsafe { vshlq_u32(a, vdupq_n_s32(-(N as i32))) }
            }
            #[inline(always)]
            fn shl<const N: u32>(self, a: uint32x4_t) -> uint32x4_t {
                unsafe { vshlq_u32(a, vdupq_n_s32(N as i32)) }
            }
            #[inline(always)]
            fn lookup(self, table: &[u8; 16], index: uint32x4_t) -> uint32x4_t {
                unsafe { vreinterpretq_u32_u8(vqtbl1q_u8(vld1q_u8(table.as_ptr()), vreinterpretq_u8_u32(index))) }
            }
            #[inline(always)]
            fn splat(self, x: f32) -> float32x4_t {
                unsafe { vdupq_n_f32(x) }
            }
            #[inline(always)]
            unsafe fn load(self, from: *const f32) -> float32x4_t {
                unsafe { vld1q_f32(from) }
            }
            #[inline(always)]
            unsafe fn store(self, x: float32x4_t, to: *mut f32) {
                unsafe { vst1q_f32(to, x) }
            }
            #[inline(always)]
            unsafe fn load_f16(self, from: *const u16) -> float32x4_t {
                unsafe {
                    let halves = vld1_u16(from);
                    let floats: float32x4_t;
                    asm!("fcvtl {0:v}.4s, {1:v}.4h", out(vreg) floats, in(vreg) halves, options(pure, nomem, nostack, preserves_flags));
                    floats
                }
            }
            #[inline(always)]
            unsafe fn store_f16(self, x: float32x4_t, to: *mut u16) {
                unsafe {
                    let halves: uint16x4_t;
                    asm!("fcvtn {0:v}.4h, {1:v}.4s", out(vreg) halves, in(vreg) x, options(pure, nomem, nostack, preserves_flags));
                    vst1_u16(to, halves);
                }
            }
            #[inline(always)]
            unsafe fn load_i8(self, from: *const i8) -> float32x4_t {
                unsafe {
                    let bytes = vreinterpret_s8_u32(vdup_n_u32(from.cast::<u32>().read_unaligned()));
                    vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))))
                }
            }
            #[inline(always)]
            unsafe fn load_u8(self, from: *const u8) -> float32x4_t {
                unsafe {
                    let bytes = vreinterpret_u8_u32(vdup_n_u32(from.cast::<u32>().read_unaligned()));
                    vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
                }
            }
            #[inline(always)]
            fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vaddq_f32(a, b) }
            }
            #[inline(always)]
            fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vsubq_f32(a, b) }
            }
            #[inline(always)]
            fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vmulq_f32(a, b) }
            }
            #[inline(always)]
            fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vdivq_f32(a, b) }
            }
            #[inline(always)]
            fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
                unsafe { vfmaq_f32(c, a, b) }
            }
            // By comparison, since the instructions proper return NaN where either is one.
            #[inline(always)]
            fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
            }
            #[inline(always)]
            fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
            }
            #[inline(always)]
            fn to_f(self, x: uint32x4_t) -> float32x4_t {
                unsafe { vcvtq_f32_s32(vreinterpretq_s32_u32(x)) }
            }
            #[inline(always)]
            fn to_i(self, x: float32x4_t) -> uint32x4_t {
                unsafe { vreinterpretq_u32_s32(vcvtnq_s32_f32(x)) }
            }
            #[inline(always)]
            fn bits_f(self, x: uint32x4_t) -> float32x4_t {
                unsafe { vreinterpretq_f32_u32(x) }
            }
            #[inline(always)]
            fn bits_i(self, x: float32x4_t) -> uint32x4_t {
                unsafe { vreinterpretq_u32_f32(x) }
            }
            #[inline(always)]
            fn prefetch(self, at: *const u32) {
                // SAFETY: a prefetch of any address does nothing worse than nothing.
                unsafe { asm!("prfm pldl1keep, [{0}]", in(reg) at, options(nostack, preserves_flags, readonly)) }
            }
            #[inline(always)]
            fn prefetch_far(self, at: *const u32) {
                // SAFETY: see above.
                unsafe { asm!("prfm pldl2keep, [{0}]", in(reg) at, options(nostack, preserves_flags, readonly)) }
            }
        }
    };
}

four_lanes!(Neon, "NEON", run_neon, Mull, Mull);
four_lanes!(NeonDot, "NEON dotprod", run_dot, Sdot, Sdot);
four_lanes!(NeonI8mm, "NEON i8mm", run_i8mm, Usdot, Usdot);

/// Codes as signed bytes, 128 less, which every code of 8 bits fits.
#[inline(always)]
fn signed(c: [uint32x4_t; 8]) -> [uint32x4_t; 16] {
    let mut w = [c[0]; 16];
    for i in 0..8 {
        // SAFETY: the caller's token proves NEON.
        w[i] = unsafe { veorq_u32(c[i], vdupq_n_u32(0x8080_8080)) };
    }
    w
}

/// Widening multiplies and pairwise sums.
pub struct Mull;

// SAFETY of every block: the token proves NEON.
impl Dot<Neon> for Mull {
    const STEPS: usize = 8;
    const SPLITS: bool = true;
    const LESS: i32 = 128;

    #[inline(always)]
    fn prepare(_: Neon, c: [uint32x4_t; 8]) -> [uint32x4_t; 16] {
        signed(c)
    }
    #[inline(always)]
    fn step(_: Neon, sum: uint32x4_t, codes: uint32x4_t, activations: uint32x4_t) -> uint32x4_t {
        unsafe {
            let (w, a) = (vreinterpretq_s8_u32(codes), vreinterpretq_s8_u32(activations));
            let low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(a)));
            let high = vpaddlq_s16(vmull_high_s8(w, a));
            vaddq_u32(sum, vreinterpretq_u32_s32(vpaddq_s32(low, high)))
        }
    }
}

/// `sdot`: four signed products added to 32 bits. In assembly, since its intrinsic is not stable yet.
pub struct Sdot;

// SAFETY of every block: the token proves dotprod.
impl Dot<NeonDot> for Sdot {
    const STEPS: usize = 8;
    const SPLITS: bool = true;
    const LESS: i32 = 128;

    #[inline(always)]
    fn prepare(_: NeonDot, c: [uint32x4_t; 8]) -> [uint32x4_t; 16] {
        signed(c)
    }
    #[inline(always)]
    fn step(_: NeonDot, mut sum: uint32x4_t, codes: uint32x4_t, activations: uint32x4_t) -> uint32x4_t {
        unsafe {
            asm!(
                "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
                inout(vreg) sum, in(vreg) codes, in(vreg) activations,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }
}

/// `usdot`: four products of unsigned and signed bytes added to 32 bits.
pub struct Usdot;

// SAFETY of every block: the token proves i8mm.
impl Dot<NeonI8mm> for Usdot {
    const STEPS: usize = 8;
    const SPLITS: bool = true;

    #[inline(always)]
    fn prepare(_: NeonI8mm, c: [uint32x4_t; 8]) -> [uint32x4_t; 16] {
        [c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]
    }
    #[inline(always)]
    fn step(_: NeonI8mm, mut sum: uint32x4_t, codes: uint32x4_t, activations: uint32x4_t) -> uint32x4_t {
        unsafe {
            asm!(
                "usdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
                inout(vreg) sum, in(vreg) codes, in(vreg) activations,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }
}
