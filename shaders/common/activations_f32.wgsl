// Activations as they are: a block of 32 columns is 32 words of f32. No integers; for devices whose f32 is fast and
// whose integers are not, and to tell the two apart.

const X_WORDS: u32 = 32u;

fn x_float(at: u32) -> f32 {
    return bitcast<f32>(x_word(at));
}

// Sum of weight (without its scale) times activation over four columns.
fn products4(codes: u32, at: u32) -> f32 {
    let w = vec4<f32>(unpack_bytes(codes)) - f32(CODE_BIAS);
    return fma(w.x, x_float(at), fma(w.y, x_float(at + 1u), fma(w.z, x_float(at + 2u), w.w * x_float(at + 3u))));
}

fn half_sum(codes: vec4<u32>, at: u32) -> f32 {
    return (products4(codes.x, at) + products4(codes.y, at + 4u))
        + (products4(codes.z, at + 8u) + products4(codes.w, at + 12u));
}

fn x_sum(at: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < 16u; i++) {
        sum += x_float(at + i);
    }
    return sum;
}

// Adds a block's part to an output's running sum.
fn add_block(codes: Codes, scales: BlockScales, at: u32, sum: f32) -> f32 {
    var result = fma(half_sum(codes.first, at), scales.d.x, sum);
    result = fma(half_sum(codes.last, at + 16u), scales.d.y, result);
    if HAS_MIN {
        result = fma(scales.m.x, x_sum(at), result);
        result = fma(scales.m.y, x_sum(at + 16u), result);
    }
    return result;
}
