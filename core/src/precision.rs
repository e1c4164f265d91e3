//! What may be less than f32, and by whose choice. Everything not named here is f32: the residual stream, norms,
//! softmax, logits, and every sum.

use serde::{Deserialize, Serialize};

/// How activations enter products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activations {
    /// 16 bits with one scale for every 32: near f32.
    #[default]
    Int16,
    /// 8 bits with one scale for every 32: faster prefill. The output head's have 16 all the same.
    Int8,
    /// As they are, on a GPU: slower than integers on most, and what to compare them with.
    F32,
}

impl Activations {
    /// For people.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Int16 => "int16 activations",
            Self::Int8 => "int8 activations",
            Self::F32 => "f32 activations",
        }
    }
}

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KvType {
    /// Half the memory.
    #[default]
    F16,
    /// As computed.
    F32,
}

impl KvType {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}
