// Products with activations of 8 bits.

// Sum of code times integer over 16 columns; what the + 128 adds is taken off.
fn products(codes: vec4<u32>, at: u32) -> u32 {
    return dot4(codes.x, x_word(at)) + dot4(codes.y, x_word(at + 1u)) + dot4(codes.z, x_word(at + 2u))
        + dot4(codes.w, x_word(at + 3u)) - 128u * code_sum(codes);
}
