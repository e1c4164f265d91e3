// Codes of 4 bits: Q4_0, Q4_1, Q4_K.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 256u + lane;
    let words = vec4(low[at], low[at + 64u], low[at + 128u], low[at + 192u]);
    return Codes(words & vec4(0x0f0f0f0fu), (words >> vec4(4u)) & vec4(0x0f0f0f0fu));
}
