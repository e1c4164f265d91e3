// Codes of 4 bits that index a table of signed bytes: IQ4_NL, IQ4_XS. Unpacked they are the table's values + 128.

// The table's 16 values + 128, a byte each, four a word.
override TABLE_0: u32 = 0u;
override TABLE_1: u32 = 0u;
override TABLE_2: u32 = 0u;
override TABLE_3: u32 = 0u;

// Four values for four codes, a byte each.
fn look_up(codes: u32) -> u32 {
    let code = unpack_bytes(codes);
    let shift = (code & vec4(3u)) << vec4(3u);
    let lower = select(vec4(TABLE_0), vec4(TABLE_1), (code & vec4(4u)) != vec4(0u));
    let upper = select(vec4(TABLE_2), vec4(TABLE_3), (code & vec4(4u)) != vec4(0u));
    let word = select(lower, upper, (code & vec4(8u)) != vec4(0u));
    let value = (word >> shift) & vec4(0xffu);
    return value.x | (value.y << 8u) | (value.z << 16u) | (value.w << 24u);
}

// The same for four rows.
fn look_up4(codes: vec4<u32>) -> vec4<u32> {
    let index = codes & vec4(0x0f0f0f0fu);
    return vec4(look_up(index.x), look_up(index.y), look_up(index.z), look_up(index.w));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    let four = vec4(4u);
    return Codes(
        Half(look_up4(a), look_up4(b), look_up4(c), look_up4(d)),
        Half(look_up4(a >> four), look_up4(b >> four), look_up4(c >> four), look_up4(d >> four)),
    );
}
