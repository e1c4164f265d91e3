// One f16 for every 256 columns times a signed byte for every 32 or 16; the same with unsigned bytes for minima.

// What a segment's blocks share: the f16, for a segment is 256 columns.
struct SegmentScales {
    d: vec4<f32>,
    m: vec4<f32>,
}

fn segment_scales(tile: u32, index: u32, lane: u32) -> SegmentScales {
    let at = (tile * (matrix.blocks / SEGMENT) + index) * 32u + 2u * lane;
    var m = vec4(0.0);
    if HAS_MIN {
        m = halves(matrix.m + at);
    }
    return SegmentScales(halves(matrix.d + at), m);
}

fn signed_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>(vec4<i32>(unpack_bytes(word ^ 0x80808080u)) - vec4(128));
}

fn block_scales(segment: SegmentScales, tile: u32, kb: u32, lane: u32) -> BlockScales {
    let first = (tile * matrix.blocks + kb) * GROUPS * 16u + lane;
    let last = first + (GROUPS - 1u) * 16u;
    let d_first = segment.d * signed_bytes(scales[matrix.sub + first]);
    var d_last = d_first;
    if GROUPS == 2u {
        d_last = segment.d * signed_bytes(scales[matrix.sub + last]);
    }
    var m_first = vec4(0.0);
    var m_last = vec4(0.0);
    if HAS_MIN {
        m_first = segment.m * vec4<f32>(unpack_bytes(scales[matrix.submin + first]));
        m_last = m_first;
        if GROUPS == 2u {
            m_last = segment.m * vec4<f32>(unpack_bytes(scales[matrix.submin + last]));
        }
    }
    return BlockScales(d_first, d_last, m_first, m_last);
}
