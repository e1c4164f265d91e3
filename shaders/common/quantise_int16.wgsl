// Writes activations of 16 bits.

fn pack_upper(q: vec4<i32>) -> u32 {
    return pack_bytes((q + vec4(128)) >> vec4(8u));
}

// The bytes + 128 of 16 columns, upper ones and lower ones.
fn store_half(a: vec4<i32>, b: vec4<i32>, c: vec4<i32>, d: vec4<i32>, at: u32) {
    store_x(at, vec4(pack_upper(a), pack_upper(b), pack_upper(c), pack_upper(d)) ^ vec4(0x80808080u));
    store_x(at + 2u, vec4(pack_bytes(a), pack_bytes(b), pack_bytes(c), pack_bytes(d)) ^ vec4(0x80808080u));
}
