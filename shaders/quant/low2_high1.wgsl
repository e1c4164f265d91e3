// Codes of 2 + 1 bits: Q3_K.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 128u + lane;
    let words = vec4(low[at], low[at + 64u], low[at], low[at + 64u]);
    let third = high[block * 64u + lane];
    let first = (vec4(third) >> vec4(0u, 1u, 2u, 3u)) & vec4(0x01010101u);
    let last = (vec4(third) >> vec4(4u, 5u, 6u, 7u)) & vec4(0x01010101u);
    return Codes(
        ((words >> vec4(0u, 0u, 2u, 2u)) & vec4(0x03030303u)) | (first << vec4(2u)),
        ((words >> vec4(4u, 4u, 6u, 6u)) & vec4(0x03030303u)) | (last << vec4(2u)),
    );
}
