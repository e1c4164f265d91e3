// Dot products of four unsigned bytes, by the device's instruction. Unsigned, since Adreno 6xx and 7xx have no signed one.

// Of four rows' bytes with the same four.
fn dot4(a: vec4<u32>, b: u32) -> vec4<u32> {
    return vec4(dot4U8Packed(a.x, b), dot4U8Packed(a.y, b), dot4U8Packed(a.z, b), dot4U8Packed(a.w, b));
}

fn code_sums(codes: Half) -> vec4<u32> {
    let ones = 0x01010101u;
    return (dot4(codes.a, ones) + dot4(codes.b, ones)) + (dot4(codes.c, ones) + dot4(codes.d, ones));
}
