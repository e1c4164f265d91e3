// Products with activations of 16 bits.

// Sum of code times integer over 16 columns; what the two + 128 add is taken off.
fn products(codes: vec4<u32>, at: u32) -> u32 {
    let upper = dot4(codes.x, x_word(at)) + dot4(codes.y, x_word(at + 1u)) + dot4(codes.z, x_word(at + 2u))
        + dot4(codes.w, x_word(at + 3u));
    let lower = dot4(codes.x, x_word(at + 8u)) + dot4(codes.y, x_word(at + 9u)) + dot4(codes.z, x_word(at + 10u))
        + dot4(codes.w, x_word(at + 11u));
    return (upper << 8u) + lower - 32896u * code_sum(codes);
}
