// Codes of 4 + 0, 1, 2 or 4 bits: matrices of several formats in one stage, which learns from `part` what a lane reads.

var<private> CODE_BIAS: u32;
var<private> HAS_MIN: bool;
var<private> GROUPS: u32;
var<private> HIGH: u32;
var<private> HIGH_BITS: u32;

fn set_format(part: Part) {
    CODE_BIAS = part.code_bias;
    HAS_MIN = part.has_min == 1u;
    GROUPS = part.groups;
    HIGH = part.high;
    HIGH_BITS = part.high_bits;
}

// Four columns: 4 low bits of each byte, and those in `mask` of the bytes of `upper` from the bit `at` on.
fn join(words: vec4<u32>, upper: vec4<u32>, at: u32, mask: u32) -> vec4<u32> {
    return (words & vec4(0x0f0f0f0fu)) | (((upper >> vec4(at)) & vec4(mask)) << vec4(4u));
}

fn unpack(block: u32, lane: u32) -> Codes {
    let at = block * 64u + lane;
    let a = low[at];
    let b = low[at + 16u];
    let c = low[at + 32u];
    let d = low[at + 48u];
    let four = vec4(4u);
    if HIGH_BITS == 0u {
        let none = vec4(0u);
        return Codes(
            Half(join(a, none, 0u, 0u), join(b, none, 0u, 0u), join(c, none, 0u, 0u), join(d, none, 0u, 0u)),
            Half(
                join(a >> four, none, 0u, 0u),
                join(b >> four, none, 0u, 0u),
                join(c >> four, none, 0u, 0u),
                join(d >> four, none, 0u, 0u),
            ),
        );
    }
    let at_high = HIGH + block * HIGH_BITS * 16u + lane;
    let e = high[at_high];
    if HIGH_BITS == 1u {
        let mask = 0x01010101u;
        return Codes(
            Half(join(a, e, 0u, mask), join(b, e, 1u, mask), join(c, e, 2u, mask), join(d, e, 3u, mask)),
            Half(
                join(a >> four, e, 4u, mask),
                join(b >> four, e, 5u, mask),
                join(c >> four, e, 6u, mask),
                join(d >> four, e, 7u, mask),
            ),
        );
    }
    let f = high[at_high + 16u];
    if HIGH_BITS == 2u {
        let mask = 0x03030303u;
        return Codes(
            Half(join(a, e, 0u, mask), join(b, e, 2u, mask), join(c, e, 4u, mask), join(d, e, 6u, mask)),
            Half(
                join(a >> four, f, 0u, mask),
                join(b >> four, f, 2u, mask),
                join(c >> four, f, 4u, mask),
                join(d >> four, f, 6u, mask),
            ),
        );
    }
    let g = high[at_high + 32u];
    let h = high[at_high + 48u];
    let mask = 0x0f0f0f0fu;
    return Codes(
        Half(join(a, e, 0u, mask), join(b, f, 0u, mask), join(c, g, 0u, mask), join(d, h, 0u, mask)),
        Half(
            join(a >> four, e, 4u, mask),
            join(b >> four, f, 4u, mask),
            join(c >> four, g, 4u, mask),
            join(d >> four, h, 4u, mask),
        ),
    );
}
