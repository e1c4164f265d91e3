// Writes activations of 8 bits.

// The bytes + 128 of 16 columns.
fn store_half(a: vec4<i32>, b: vec4<i32>, c: vec4<i32>, d: vec4<i32>, at: u32) {
    store_x(at, vec4(pack_bytes(a), pack_bytes(b), pack_bytes(c), pack_bytes(d)) ^ vec4(0x80808080u));
}
