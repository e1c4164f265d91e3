// Codes of 8 bits as two planes of 4: the output head of Q8_0, none of whose planes exceeds a phone's largest binding.

// Four of the first 16 columns.
fn lower(words: vec4<u32>, upper: vec4<u32>) -> vec4<u32> {
    return (words & vec4(0x0f0f0f0fu)) | ((upper & vec4(0x0f0f0f0fu)) << vec4(4u));
}

// Four of the last 16.
fn upper(words: vec4<u32>, upper: vec4<u32>) -> vec4<u32> {
    return ((words >> vec4(4u)) & vec4(0x0f0f0f0fu)) | (upper & vec4(0xf0f0f0f0u));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    let e = high[at];
    let f = high[at + 16u];
    let g = high[at + 32u];
    let h = high[at + 48u];
    return Codes(
        Half(lower(a, e), lower(b, f), lower(c, g), lower(d, h)),
        Half(upper(a, e), upper(b, f), upper(c, g), upper(d, h)),
    );
}
