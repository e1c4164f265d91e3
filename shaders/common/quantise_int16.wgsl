// Writes activations of 16 bits.

// The activation's bytes + 128, word `word` of a block.
fn store_integers(q: vec4<i32>, at: u32, word: u32) {
    x_out[at + word] = pack_bytes((q + vec4(128)) >> vec4(8u)) ^ 0x80808080u;
    x_out[at + 8u + word] = pack_bytes(q) ^ 0x80808080u;
}
