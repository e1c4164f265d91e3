// Activations of 8 bits: a block of 32 columns is 8 words of bytes + 128, its scale, the sums of its integers (of
// all, of the first 16 columns), and the sum of the squares of what they stand for.

const X_VECTORS: u32 = 3u; // of four words
const X_FACTS: u32 = 2u; // the vector of scale, sums and energy
const X_LIMIT: f32 = 127.0;
