//! What each operation means. One file an op: its parameters, its output's width, and its reference loops.
//!
//! The reference loops are the specification: f32 values, plain loops, one row after the other.
//! Sums are of [`dot`]'s 16 partial sums, which both vectorise and lose little.

mod add;
mod attend;
mod embed;
mod gated;
mod ids;
mod matmul;
mod rms_norm;
mod rope;
mod softcap;

pub use add::add;
pub use attend::Attend;
pub use embed::Embed;
pub use gated::{Activation, GELU_CUBIC, GELU_SLOPE, Gated};
pub use ids::{NodeId, SlotId, WeightId};
pub use matmul::Matmul;
pub use rms_norm::RmsNorm;
pub use rope::{Pairing, Rope, angle};
pub use softcap::Softcap;

/// One operation with its parameters. Inputs and weights are `[rows, width]` and by id.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Token ids to rows of the embedding table. No inputs.
    Embed(Embed),
    /// Root-mean-square norm of each group of columns.
    RmsNorm(RmsNorm),
    /// Product with a weight matrix, plus a bias.
    Matmul(Matmul),
    /// Rotary position embedding of each head.
    Rope(Rope),
    /// Writes keys and values (inputs: k, v) to a slot at the step's positions.
    Append(SlotId),
    /// Attention of queries over a slot (inputs: q, the append).
    Attend(Attend),
    /// Sum of two values.
    Add,
    /// Activation of a gate times a value (inputs: gate, up).
    Gated(Gated),
    /// `cap * tanh(x / cap)`.
    Softcap(Softcap),
    /// Keeps the rows whose logits are wanted.
    PickRows,
}

impl Op {
    /// The op's name in the field's terms.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embed(_) => "embed",
            Self::RmsNorm(_) => "rms_norm",
            Self::Matmul(_) => "matmul",
            Self::Rope(_) => "rope",
            Self::Append(_) => "append",
            Self::Attend(_) => "attend",
            Self::Add => "add",
            Self::Gated(_) => "gated",
            Self::Softcap(_) => "softcap",
            Self::PickRows => "pick_rows",
        }
    }

    /// Floats in a row of the output: of the first input's width and a weight's `(cols, rows)`.
    pub fn width(&self, input: usize, shape: impl Fn(WeightId) -> (usize, usize)) -> usize {
        match self {
            Self::Embed(op) => shape(op.table).0,
            Self::Matmul(op) => shape(op.weight).1,
            Self::Append(_) => 0,
            _ => input,
        }
    }
}

/// Dot product of two equally long slices, in 16 partial sums.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a16, a_rest) = a.as_chunks::<16>();
    let (b16, b_rest) = b.as_chunks::<16>();
    for (x, y) in a16.iter().zip(b16) {
        for i in 0..16 {
            sums[i] += x[i] * y[i];
        }
    }
    for (i, (x, y)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[i] += x * y;
    }
    sums.iter().sum()
}
