// Codes of 4 + 2 bits: Q6_K.

// Four columns: 4 low bits of each byte, and the two bits from `at` on of the bytes of `upper`.
fn join(words: vec4<u32>, upper: vec4<u32>, at: u32) -> vec4<u32> {
    return (words & vec4(0x0f0f0f0fu)) | (((upper >> vec4(at)) & vec4(0x03030303u)) << vec4(4u));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    let first = high[block * 32u + lane];
    let last = high[block * 32u + 16u + lane];
    let four = vec4(4u);
    return Codes(
        Half(join(a, first, 0u), join(b, first, 2u), join(c, first, 4u), join(d, first, 6u)),
        Half(join(a >> four, last, 0u), join(b >> four, last, 2u), join(c >> four, last, 4u), join(d >> four, last, 6u)),
    );
}
