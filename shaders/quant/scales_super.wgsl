// One f16 for every 256 columns times a signed byte for every 32 or 16; the same with unsigned bytes for minima.

override GROUPS: u32 = 1u; // scales of a block: 1 or 2
override HAS_MIN: bool = false;

fn half_at(plane: u32, index: u32) -> f32 {
    let pair = unpack2x16float(scales[plane + index / 2u]);
    return select(pair.x, pair.y, (index & 1u) == 1u);
}

fn byte_at(plane: u32, index: u32) -> u32 {
    return (scales[plane + index / 4u] >> (8u * (index & 3u))) & 0xffu;
}

fn signed_byte_at(plane: u32, index: u32) -> f32 {
    return f32(i32(byte_at(plane, index) ^ 0x80u) - 128);
}

fn block_scales(tile: u32, kb: u32, lane: u32) -> BlockScales {
    let super_index = (tile * (matrix.blocks / 8u) + kb / 8u) * 64u + lane;
    let first = (tile * matrix.blocks + kb) * GROUPS * 64u + lane;
    let last = first + (GROUPS - 1u) * 64u;
    let d = half_at(matrix.d, super_index) * vec2(signed_byte_at(matrix.sub, first), signed_byte_at(matrix.sub, last));
    var m = vec2(0.0);
    if HAS_MIN {
        m = half_at(matrix.m, super_index)
            * vec2(f32(byte_at(matrix.submin, first)), f32(byte_at(matrix.submin, last)));
    }
    return BlockScales(d, m);
}
