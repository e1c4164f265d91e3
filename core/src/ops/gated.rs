//! The gated half of a feed-forward block (arXiv 2002.05202): `activation(gate) * up`.

/// The gate's non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e^-x)`
    Silu,
    /// The tanh form of GELU (arXiv 1606.08415).
    GeluTanh,
}

/// Inputs: gate, up.
#[derive(Clone, Debug, PartialEq)]
pub struct Gated {
    /// Applied to the gate.
    pub activation: Activation,
}

/// `sqrt(2 / pi)`, the slope in GELU's tanh form.
pub const GELU_SLOPE: f32 = 0.797_884_6;
/// The cubic coefficient in GELU's tanh form.
pub const GELU_CUBIC: f32 = 0.044_715;

impl Activation {
    /// The function itself.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::GeluTanh => 0.5 * x * (1.0 + (GELU_SLOPE * x * (1.0 + GELU_CUBIC * x * x)).tanh()),
        }
    }
}

impl Gated {
    /// Equally long slices.
    pub fn reference(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = self.activation.apply(*gate) * up;
        }
    }
}
