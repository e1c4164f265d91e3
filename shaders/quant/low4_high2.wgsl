// Codes of 4 + 2 bits: Q6_K.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 256u + lane;
    let words = vec4(low[at], low[at + 64u], low[at + 128u], low[at + 192u]);
    let upper = block * 128u + lane;
    let first = (vec4(high[upper]) >> vec4(0u, 2u, 4u, 6u)) & vec4(0x03030303u);
    let last = (vec4(high[upper + 64u]) >> vec4(0u, 2u, 4u, 6u)) & vec4(0x03030303u);
    return Codes(
        (words & vec4(0x0f0f0f0fu)) | (first << vec4(4u)),
        ((words >> vec4(4u)) & vec4(0x0f0f0f0fu)) | (last << vec4(4u)),
    );
}
