// Codes of 8 bits as two planes of 4: the output head of Q8_0, none of whose planes exceeds a phone's largest binding.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 256u + lane;
    let lower = vec4(low[at], low[at + 64u], low[at + 128u], low[at + 192u]);
    let upper = vec4(high[at], high[at + 64u], high[at + 128u], high[at + 192u]);
    return Codes(
        (lower & vec4(0x0f0f0f0fu)) | ((upper & vec4(0x0f0f0f0fu)) << vec4(4u)),
        ((lower >> vec4(4u)) & vec4(0x0f0f0f0fu)) | (upper & vec4(0xf0f0f0f0u)),
    );
}
