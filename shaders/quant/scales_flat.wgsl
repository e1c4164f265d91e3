// One f16 for every 32 columns, and one to add where there is a minimum.

const GROUPS: u32 = 1u;
override HAS_MIN: bool = false;

fn half_at(plane: u32, index: u32) -> f32 {
    let pair = unpack2x16float(scales[plane + index / 2u]);
    return select(pair.x, pair.y, (index & 1u) == 1u);
}

fn block_scales(tile: u32, kb: u32, lane: u32) -> BlockScales {
    let index = (tile * matrix.blocks + kb) * 64u + lane;
    let d = half_at(matrix.d, index);
    var m = 0.0;
    if HAS_MIN {
        m = half_at(matrix.m, index);
    }
    return BlockScales(vec2(d), vec2(m));
}
