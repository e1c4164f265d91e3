// Codes of 4 bits: Q4_0, Q4_1, Q4_K.

fn lower(words: vec4<u32>) -> vec4<u32> {
    return words & vec4(0x0f0f0f0fu);
}

fn upper(words: vec4<u32>) -> vec4<u32> {
    return (words >> vec4(4u)) & vec4(0x0f0f0f0fu);
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    return Codes(
        Half(lower(a), lower(b), lower(c), lower(d)),
        Half(upper(a), upper(b), upper(c), upper(d)),
    );
}
