// Codes of 2 bits: Q2_K.

// Four columns: the two bits from `at` on of each byte.
fn pick(words: vec4<u32>, at: u32) -> vec4<u32> {
    return (words >> vec4(at)) & vec4(0x03030303u);
}

fn unpack(block: u32, lane: u32) -> Codes {
    let even = low[block * 32u + lane];
    let odd = low[block * 32u + 16u + lane];
    return Codes(
        Half(pick(even, 0u), pick(odd, 0u), pick(even, 2u), pick(odd, 2u)),
        Half(pick(even, 4u), pick(odd, 4u), pick(even, 6u), pick(odd, 6u)),
    );
}
