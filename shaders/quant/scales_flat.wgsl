// One f16 for every 32 columns, and one to add where there is a minimum.

// What a segment's blocks share: nothing.
struct SegmentScales {
    none: u32,
}

fn segment_scales(tile: u32, index: u32, lane: u32) -> SegmentScales {
    return SegmentScales(0u);
}

fn block_scales(segment: SegmentScales, tile: u32, kb: u32, lane: u32) -> BlockScales {
    let at = (tile * matrix.blocks + kb) * 32u + 2u * lane;
    let d = halves(matrix.d + at);
    var m = vec4(0.0);
    if HAS_MIN {
        m = halves(matrix.m + at);
    }
    return BlockScales(d, d, m, m);
}
