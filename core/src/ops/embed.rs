//! Token embedding: a row of a table, times a constant.

use super::WeightId;

/// Looks up token ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// `[vocab, width]`
    pub table: WeightId,
    /// Factor of every value (Gemma: the square root of the width).
    pub scale: f32,
}

impl Embed {
    /// Scales one dequantised row in place.
    pub fn reference(&self, row: &mut [f32]) {
        for x in row {
            *x *= self.scale;
        }
    }
}
