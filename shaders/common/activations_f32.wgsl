// Activations as they are: a block of 32 columns is 32 words of f32. No integers; for devices whose f32 is fast and
// whose integers are not, and to tell the two apart.

const X_VECTORS: u32 = 8u; // of four words

// Products of four columns' codes (without their scale) with their activations, for four rows.
fn products4(codes: vec4<u32>, x: vec4<f32>, sums: vec4<f32>) -> vec4<f32> {
    let bias = vec4(f32(CODE_BIAS));
    let low = vec4(0xffu);
    var result = fma(vec4<f32>(codes & low) - bias, vec4(x.x), sums);
    result = fma(vec4<f32>((codes >> vec4(8u)) & low) - bias, vec4(x.y), result);
    result = fma(vec4<f32>((codes >> vec4(16u)) & low) - bias, vec4(x.z), result);
    return fma(vec4<f32>(codes >> vec4(24u)) - bias, vec4(x.w), result);
}

// Adds 16 columns' part to four outputs' running sums.
fn add_half(codes: Half, d: vec4<f32>, m: vec4<f32>, x: Held, first: u32, sums: vec4<f32>) -> vec4<f32> {
    let a = bitcast<vec4<f32>>(held(x, first));
    let b = bitcast<vec4<f32>>(held(x, first + 1u));
    let c = bitcast<vec4<f32>>(held(x, first + 2u));
    let e = bitcast<vec4<f32>>(held(x, first + 3u));
    let zero = vec4(0.0);
    let products = (products4(codes.a, a, zero) + products4(codes.b, b, zero))
        + (products4(codes.c, c, zero) + products4(codes.d, e, zero));
    var result = fma(products, d, sums);
    if HAS_MIN {
        let ones = vec4(1.0);
        result = fma(m, vec4((dot(a, ones) + dot(b, ones)) + (dot(c, ones) + dot(e, ones))), result);
    }
    return result;
}

// Adds a block's part to four outputs' running sums.
fn add_block(codes: Codes, scales: BlockScales, x: Held, sums: vec4<f32>) -> vec4<f32> {
    let first = add_half(codes.first, scales.d_first, scales.m_first, x, 0u, sums);
    return add_half(codes.last, scales.d_last, scales.m_last, x, 4u, first);
}
