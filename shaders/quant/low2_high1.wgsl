// Codes of 2 + 1 bits: Q3_K.

// Four columns: the two bits from `at` on of each byte, and the bits `bit` of the bytes of `third`.
fn join(words: vec4<u32>, at: u32, third: vec4<u32>, bit: u32) -> vec4<u32> {
    return ((words >> vec4(at)) & vec4(0x03030303u)) | (((third >> vec4(bit)) & vec4(0x01010101u)) << vec4(2u));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let even = low[block * 32u + lane];
    let odd = low[block * 32u + 16u + lane];
    let third = high[block * 16u + lane];
    return Codes(
        Half(join(even, 0u, third, 0u), join(odd, 0u, third, 1u), join(even, 2u, third, 2u), join(odd, 2u, third, 3u)),
        Half(join(even, 4u, third, 4u), join(odd, 4u, third, 5u), join(even, 6u, third, 6u), join(odd, 6u, third, 7u)),
    );
}
