// Codes of 2 bits: Q2_K.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 128u + lane;
    let words = vec4(low[at], low[at + 64u], low[at], low[at + 64u]);
    return Codes(
        (words >> vec4(0u, 0u, 2u, 2u)) & vec4(0x03030303u),
        (words >> vec4(4u, 4u, 6u, 6u)) & vec4(0x03030303u),
    );
}
