// Logits as integers in the same order, for comparisons that not-a-number cannot slip through, whatever a compiler
// makes of those of floats.

const NAN_KEY: u32 = 0xffffffffu;

// Not-a-number comes after everything.
fn key_of(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    if (bits & 0x7fffffffu) > 0x7f800000u {
        return NAN_KEY;
    }
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// What is certain to be reached: by what is not a number nothing.
fn least_key(key: u32) -> u32 {
    return select(key, 0u, key == NAN_KEY);
}

fn float_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
