// Activations of 16 bits, 256 * upper + lower: a block of 32 columns is 8 words of upper bytes + 128, 8 words of lower
// bytes + 128, its scale, the sums of its integers (of all, of the first 16 columns), and the sum of the squares of what
// they stand for.

const X_VECTORS: u32 = 5u; // of four words
const X_FACTS: u32 = 4u; // the vector of scale, sums and energy
const X_LIMIT: f32 = 32512.0; // 127 * 256: the upper byte, rounded, is a signed byte
