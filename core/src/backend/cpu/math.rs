//! Elementary functions on vectors, the same bits on every instruction set.

use super::simd::Simd;

/// `e^x` within 2 units in the last place; 0 to the left of -87, and the greatest finite powers to the right of 88;
/// NaN of NaN.
///
/// Range reduction by powers of two, then the polynomial of the classic Cephes library.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::F) -> S::F {
    // `x` comes second each time, so that NaN stays NaN: a damaged score must show in the logits.
    let x = simd.min(simd.splat(88.0), simd.max(simd.splat(-87.3), x));
    let n = simd.to_i(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let nf = simd.to_f(n);
    // ln 2 in two parts, so that the remainder keeps all its bits.
    let r = simd.fma(nf, simd.splat(-0.693_359_4), x);
    let r = simd.fma(nf, simd.splat(2.121_944_4e-4), r);
    let mut y = simd.splat(1.987_569_1e-4);
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        y = simd.fma(y, r, simd.splat(c));
    }
    let y = simd.fma(y, simd.mul(r, r), simd.add(r, simd.splat(1.0)));
    let power = simd.shl::<23>(simd.add_i(n, simd.splat_i(127)));
    simd.mul(y, simd.bits_f(power))
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub fn sigmoid<S: Simd>(simd: S, x: S::F) -> S::F {
    let one = simd.splat(1.0);
    let e = exp(simd, simd.sub(simd.splat(0.0), x));
    simd.div(one, simd.add(one, e))
}

/// Hyperbolic tangent, through the sigmoid of twice the angle.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::F) -> S::F {
    let two = simd.splat(2.0);
    simd.fma(two, sigmoid(simd, simd.mul(two, x)), simd.splat(-1.0))
}

/// A function of two vectors. A trait and not a closure, because a closure is compiled without the kernel's
/// instruction set unless the optimiser happens to inline it first.
pub trait Binary {
    /// The function; must be `#[inline(always)]`.
    fn apply<S: Simd>(&self, simd: S, a: S::F, b: S::F) -> S::F;
}

/// `out[i] = f(a[i], b[i])` over slices of one length; the last vector is padded with zeros.
#[inline(always)]
#[allow(unsafe_code)]
pub fn zip<S: Simd>(simd: S, a: &[f32], b: &[f32], out: &mut [f32], f: &impl Binary) {
    let n = a.len().min(b.len()).min(out.len());
    let whole = n - n % S::LANES;
    for i in (0..whole).step_by(S::LANES) {
        // SAFETY: `i + LANES <= n`, the length of all three.
        unsafe {
            let y = f.apply(simd, simd.load(a.as_ptr().add(i)), simd.load(b.as_ptr().add(i)));
            simd.store(y, out.as_mut_ptr().add(i));
        }
    }
    if whole < n {
        let mut pad = [[0.0f32; 16]; 3];
        pad[0][..n - whole].copy_from_slice(&a[whole..n]);
        pad[1][..n - whole].copy_from_slice(&b[whole..n]);
        // SAFETY: a vector has at most 16 lanes.
        unsafe {
            let y = f.apply(simd, simd.load(pad[0].as_ptr()), simd.load(pad[1].as_ptr()));
            simd.store(y, pad[2].as_mut_ptr());
        }
        out[whole..n].copy_from_slice(&pad[2][..n - whole]);
    }
}
