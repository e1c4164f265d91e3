// Codes of 4 + 1 bits: Q5_0, Q5_1, Q5_K.

// Four columns: 4 low bits of each byte, and the bits `at` of the bytes of `fifth`.
fn join(words: vec4<u32>, fifth: vec4<u32>, at: u32) -> vec4<u32> {
    return (words & vec4(0x0f0f0f0fu)) | (((fifth >> vec4(at)) & vec4(0x01010101u)) << vec4(4u));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    let fifth = high[block * 16u + lane];
    let four = vec4(4u);
    return Codes(
        Half(join(a, fifth, 0u), join(b, fifth, 1u), join(c, fifth, 2u), join(d, fifth, 3u)),
        Half(join(a >> four, fifth, 4u), join(b >> four, fifth, 5u), join(c >> four, fifth, 6u), join(d >> four, fifth, 7u)),
    );
}
