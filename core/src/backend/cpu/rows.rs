//! Operations that need only one row at a time: norms, rope, sums, the gate. Plain loops, compiled for the kernel's
//! instruction set by being inlined into it.

use super::math::{Binary, sigmoid, tanh, zip};
use super::simd::Simd;
use crate::ops::{Activation, GELU_CUBIC, GELU_SLOPE, Pairing, RmsNorm, Rope};

/// Dot product in 16 partial sums, fused, added up in a fixed order.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a16, a_rest) = a.as_chunks::<16>();
    let (b16, b_rest) = b.as_chunks::<16>();
    for (x, y) in a16.iter().zip(b16) {
        for i in 0..16 {
            sums[i] = x[i].mul_add(y[i], sums[i]);
        }
    }
    for (i, (x, y)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[i] = x.mul_add(*y, sums[i]);
    }
    let mut width = 8;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0]
}

/// See [`RmsNorm::reference`].
#[inline(always)]
pub fn rms_norm(op: &RmsNorm, x: &[f32], weight: &[f32], out: &mut [f32]) {
    for (x, out) in x.chunks_exact(op.dim).zip(out.chunks_exact_mut(op.dim)) {
        let scale = 1.0 / (dot(x, x) / op.dim as f32 + op.eps).sqrt();
        for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
            *out = x * scale * w;
        }
    }
}

/// See [`Rope::reference`]; `turns` holds sine and cosine of each pair at the row's position.
#[inline(always)]
pub fn rope(op: &Rope, turns: &[(f32, f32)], x: &[f32], out: &mut [f32]) {
    out.copy_from_slice(x);
    for head in out.chunks_exact_mut(op.head_dim) {
        match op.pairing {
            Pairing::Adjacent => {
                for (pair, (sin, cos)) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
                    let [x, y] = *pair;
                    *pair = [x * cos - y * sin, x * sin + y * cos];
                }
            }
            Pairing::Halves => {
                let (low, high) = head[..op.dims].split_at_mut(op.dims / 2);
                for ((a, b), (sin, cos)) in low.iter_mut().zip(high).zip(turns) {
                    let (x, y) = (*a, *b);
                    *a = x * cos - y * sin;
                    *b = x * sin + y * cos;
                }
            }
        }
    }
}

/// `activation(gate) * up`
#[inline(always)]
pub fn gated<S: Simd>(simd: S, activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    match activation {
        Activation::Silu => zip(simd, gate, up, out, &Silu),
        Activation::GeluTanh => zip(simd, gate, up, out, &Gelu),
    }
}

struct Silu;

impl Binary for Silu {
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, gate: S::F, up: S::F) -> S::F {
        simd.mul(simd.mul(gate, sigmoid(simd, gate)), up)
    }
}

struct Gelu;

impl Binary for Gelu {
    /// `0.5 * (1 + tanh(y))` is the sigmoid of `2y`.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, gate: S::F, up: S::F) -> S::F {
        let cubic = simd.fma(simd.mul(simd.splat(GELU_CUBIC), gate), gate, simd.splat(1.0));
        let y = simd.mul(simd.mul(simd.splat(2.0 * GELU_SLOPE), gate), cubic);
        simd.mul(simd.mul(gate, sigmoid(simd, y)), up)
    }
}

/// `cap * tanh(x / cap)`, in place.
#[inline(always)]
pub fn softcap<S: Simd>(simd: S, cap: f32, x: &mut [f32]) {
    let mut chunk = [0.0; 64];
    for x in x.chunks_mut(64) {
        let from = &mut chunk[..x.len()];
        from.copy_from_slice(x);
        zip(simd, from, from, x, &Cap(cap));
    }
}

struct Cap(f32);

impl Binary for Cap {
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, x: S::F, _: S::F) -> S::F {
        simd.mul(simd.splat(self.0), tanh(simd, simd.mul(x, simd.splat(1.0 / self.0))))
    }
}
