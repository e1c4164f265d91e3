// Dot product of four unsigned bytes, by u32 alone.

fn dot4(a: u32, b: u32) -> u32 {
    return (a & 0xffu) * (b & 0xffu)
        + ((a >> 8u) & 0xffu) * ((b >> 8u) & 0xffu)
        + ((a >> 16u) & 0xffu) * ((b >> 16u) & 0xffu)
        + (a >> 24u) * (b >> 24u);
}
