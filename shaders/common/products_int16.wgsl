// Products with activations of 16 bits.

// Sums of code times integer over 16 columns, those of `group`; what the two + 128 add is taken off.
fn products(codes: Half, x: Held, group: u32) -> vec4<u32> {
    let upper = held(x, group);
    let lower = held(x, group + 2u);
    let upper_sums = (dot4(codes.a, upper.x) + dot4(codes.b, upper.y)) + (dot4(codes.c, upper.z) + dot4(codes.d, upper.w));
    let lower_sums = (dot4(codes.a, lower.x) + dot4(codes.b, lower.y)) + (dot4(codes.c, lower.z) + dot4(codes.d, lower.w));
    return (upper_sums << vec4(8u)) + lower_sums - vec4(32896u) * code_sums(codes);
}
