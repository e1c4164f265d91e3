//! Soft limit of a value (arXiv 2408.00118): `cap * tanh(x / cap)`.

/// Caps every value of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Softcap {
    /// Results stay within `(-cap, cap)`.
    pub cap: f32,
}

/// One value.
pub fn softcap(x: f32, cap: f32) -> f32 {
    cap * (x / cap).tanh()
}

impl Softcap {
    /// Equally long slices.
    pub fn reference(&self, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = softcap(*x, self.cap);
        }
    }
}
