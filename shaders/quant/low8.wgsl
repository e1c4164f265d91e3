// Codes of 8 bits: Q8_0.

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 128u + lane;
    return Codes(
        Half(low[at], low[at + 16u], low[at + 32u], low[at + 48u]),
        Half(low[at + 64u], low[at + 80u], low[at + 96u], low[at + 112u]),
    );
}
