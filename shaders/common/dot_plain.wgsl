// Dot products of four unsigned bytes, by u32 alone.

// Of four rows' bytes with the same four.
fn dot4(a: vec4<u32>, b: u32) -> vec4<u32> {
    let bytes = unpack_bytes(b);
    let low = vec4(0xffu);
    return ((a & low) * bytes.x + ((a >> vec4(8u)) & low) * bytes.y)
        + (((a >> vec4(16u)) & low) * bytes.z + (a >> vec4(24u)) * bytes.w);
}

// Two bytes at a time, in the halves of a word.
fn code_sums(codes: Half) -> vec4<u32> {
    let even = vec4(0x00ff00ffu);
    let pairs = ((codes.a & even) + (codes.b & even)) + ((codes.c & even) + (codes.d & even))
        + (((codes.a >> vec4(8u)) & even) + ((codes.b >> vec4(8u)) & even))
        + (((codes.c >> vec4(8u)) & even) + ((codes.d >> vec4(8u)) & even));
    return (pairs & vec4(0xffffu)) + (pairs >> vec4(16u));
}
