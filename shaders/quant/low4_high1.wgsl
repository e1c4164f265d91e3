// Codes of 4 + 1 bits: Q5_0, Q5_1, Q5_K.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 256u + lane;
    let words = vec4(low[at], low[at + 64u], low[at + 128u], low[at + 192u]);
    let fifth = high[block * 64u + lane];
    let first = (vec4(fifth) >> vec4(0u, 1u, 2u, 3u)) & vec4(0x01010101u);
    let last = (vec4(fifth) >> vec4(4u, 5u, 6u, 7u)) & vec4(0x01010101u);
    return Codes(
        (words & vec4(0x0f0f0f0fu)) | (first << vec4(4u)),
        ((words >> vec4(4u)) & vec4(0x0f0f0f0fu)) | (last << vec4(4u)),
    );
}
