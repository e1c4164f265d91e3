// Activations of 8 bits: a block of 32 columns is 8 words of bytes + 128, its scale, and the sums of its integers:
// of all, of the first 16 columns, of the last 16.

const X_WORDS: u32 = 12u;
const X_SCALE: u32 = 8u;
const X_LIMIT: f32 = 127.0;
