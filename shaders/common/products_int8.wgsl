// Products with activations of 8 bits.

// Sums of code times integer over 16 columns, those of `group`; what the + 128 adds is taken off.
fn products(codes: Half, x: Held, group: u32) -> vec4<u32> {
    let x4 = held(x, group);
    let sums = (dot4(codes.a, x4.x) + dot4(codes.b, x4.y)) + (dot4(codes.c, x4.z) + dot4(codes.d, x4.w));
    return sums - vec4(128u) * code_sums(codes);
}
