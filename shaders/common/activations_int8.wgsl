// Activations of 8 bits: a block of 32 columns is 8 words of bytes + 128, its scale, and the sums of its integers:
// of all, of the first 16 columns, of the last 16.

const X_VECTORS: u32 = 3u; // of four words
const X_FACTS: u32 = 2u; // the vector of scale and sums
const X_LIMIT: f32 = 127.0;
