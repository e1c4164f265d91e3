// Activations of 16 bits, 256 * upper + lower: a block of 32 columns is 8 words of upper bytes + 128, 8 words of lower
// bytes + 128, its scale, and the sums of its integers: of all, of the first 16 columns, of the last 16.

const X_VECTORS: u32 = 5u; // of four words
const X_FACTS: u32 = 4u; // the vector of scale and sums
const X_LIMIT: f32 = 32512.0; // 127 * 256: the upper byte, rounded, is a signed byte
