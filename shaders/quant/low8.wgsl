// Codes of 8 bits: Q8_0.

override CODE_BIAS: u32 = 0u;

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 512u + lane;
    return Codes(
        vec4(low[at], low[at + 64u], low[at + 128u], low[at + 192u]),
        vec4(low[at + 256u], low[at + 320u], low[at + 384u], low[at + 448u]),
    );
}
