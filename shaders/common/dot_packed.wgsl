// Dot product of four unsigned bytes, by the device's instruction. Unsigned, since Adreno 6xx and 7xx have no signed one.

fn dot4(a: u32, b: u32) -> u32 {
    return dot4U8Packed(a, b);
}
