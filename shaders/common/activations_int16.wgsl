// Activations of 16 bits, 256 * upper + lower: a block of 32 columns is 8 words of upper bytes + 128, 8 words of lower
// bytes + 128, its scale, and the sums of its integers: of all, of the first 16 columns, of the last 16.

const X_WORDS: u32 = 20u;
const X_SCALE: u32 = 16u;
const X_LIMIT: f32 = 32512.0; // 127 * 256: the upper byte, rounded, is a signed byte
