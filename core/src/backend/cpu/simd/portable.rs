//! Plain loops over eight lanes, for processors without a kernel of their own and as the others' measure.

use super::{Dot, Kernel, Simd};
use half::f16;
use std::array::from_fn;

/// Needs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Products byte by byte.
pub struct Bytes;

const N: usize = 8;
type I = [u32; N];
type F = [f32; N];

#[allow(unsafe_code)] // Only the pointer reads and writes that the trait's contract covers.
impl Simd for Portable {
    type I = I;
    type F = F;
    type Narrow = Bytes;
    type Wide = Bytes;
    const LANES: usize = N;
    const NAME: &'static str = "portable";
    const BLOCKED: bool = false;

    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    fn splat_i(self, x: u32) -> I {
        [x; N]
    }
    unsafe fn load_i(self, from: *const u32) -> I {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { from.cast::<I>().read_unaligned() }
    }
    unsafe fn store_i(self, x: I, to: *mut u32) {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { to.cast::<I>().write_unaligned(x) }
    }
    fn and(self, a: I, b: I) -> I {
        from_fn(|i| a[i] & b[i])
    }
    fn or(self, a: I, b: I) -> I {
        from_fn(|i| a[i] | b[i])
    }
    fn add_i(self, a: I, b: I) -> I {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }
    fn shr<const S: u32>(self, a: I) -> I {
        a.map(|x| x >> S)
    }
    fn shl<const S: u32>(self, a: I) -> I {
        a.map(|x| x << S)
    }
    fn lookup(self, table: &[u8; 16], index: I) -> I {
        index.map(|w| u32::from_le_bytes(w.to_le_bytes().map(|b| table[usize::from(b & 15)])))
    }
    fn splat(self, x: f32) -> F {
        [x; N]
    }
    unsafe fn load(self, from: *const f32) -> F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { from.cast::<F>().read_unaligned() }
    }
    unsafe fn store(self, x: F, to: *mut f32) {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { to.cast::<F>().write_unaligned(x) }
    }
    unsafe fn load_f16(self, from: *const u16) -> F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { from.cast::<[u16; N]>().read_unaligned() }.map(|h| f16::from_bits(h).to_f32())
    }
    unsafe fn store_f16(self, x: F, to: *mut u16) {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { to.cast::<[u16; N]>().write_unaligned(x.map(|x| f16::from_f32(x).to_bits())) }
    }
    unsafe fn load_i8(self, from: *const i8) -> F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { from.cast::<[i8; N]>().read_unaligned() }.map(f32::from)
    }
    unsafe fn load_u8(self, from: *const u8) -> F {
        // SAFETY: the caller's pointer covers all lanes.
        unsafe { from.cast::<[u8; N]>().read_unaligned() }.map(f32::from)
    }
    fn add(self, a: F, b: F) -> F {
        from_fn(|i| a[i] + b[i])
    }
    fn sub(self, a: F, b: F) -> F {
        from_fn(|i| a[i] - b[i])
    }
    fn mul(self, a: F, b: F) -> F {
        from_fn(|i| a[i] * b[i])
    }
    fn div(self, a: F, b: F) -> F {
        from_fn(|i| a[i] / b[i])
    }
    fn fma(self, a: F, b: F, c: F) -> F {
        from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    fn max(self, a: F, b: F) -> F {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    fn min(self, a: F, b: F) -> F {
        from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    fn to_f(self, x: I) -> F {
        x.map(|x| x as i32 as f32)
    }
    fn to_i(self, x: F) -> I {
        x.map(|x| x.round_ties_even() as i32 as u32)
    }
    fn bits_f(self, x: I) -> F {
        x.map(f32::from_bits)
    }
    fn bits_i(self, x: F) -> I {
        x.map(f32::to_bits)
    }
    fn prefetch(self, _: *const u32) {}
    fn prefetch_far(self, _: *const u32) {}
}

impl Dot<Portable> for Bytes {
    const STEPS: usize = 8;
    const SPLITS: bool = true;
    fn prepare(_: Portable, codes: [I; 8]) -> [I; 16] {
        from_fn(|i| codes[i % 8])
    }
    fn step(_: Portable, sum: I, codes: I, activations: I) -> I {
        from_fn(|i| {
            let (u, a) = (codes[i].to_le_bytes(), activations[i].to_le_bytes());
            let products = (0..4).map(|b| i32::from(u[b]) * i32::from(a[b] as i8));
            sum[i].wrapping_add_signed(products.sum())
        })
    }
}
