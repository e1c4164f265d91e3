//! Sum of two values: the residual connection.

/// `out = a + b`, all of one length.
pub fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a + b;
    }
}
