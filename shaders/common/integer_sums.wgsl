// Block sums of integer activations: exact in 32 bits, the same on every device.

// Sums of weight (without its scale) times integer over 16 columns, those of `group`, whose integers
// add up to `x_sum`.
fn half_sums(codes: Half, x: Held, group: u32, x_sum: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(products(codes, x, group) - vec4(CODE_BIAS * x_sum));
}

// Adds a block's part to four outputs' running sums, in the order of the CPU's kernels.
fn add_block(codes: Codes, scales: BlockScales, x: Held, sums: vec4<f32>) -> vec4<f32> {
    let facts = held(x, X_FACTS); // scale, sum of all integers, of the first 16, energy
    let last_sum = facts.y - facts.z;
    let x_scale = bitcast<f32>(facts.x);
    let first = half_sums(codes.first, x, 0u, facts.z);
    let last = half_sums(codes.last, x, 1u, last_sum);
    var result = sums;
    if GROUPS == 2u {
        result = fma(vec4<f32>(first), scales.d_first * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m_first, vec4(x_scale * f32(bitcast<i32>(facts.z))), result);
        }
        result = fma(vec4<f32>(last), scales.d_last * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m_last, vec4(x_scale * f32(bitcast<i32>(last_sum))), result);
        }
    } else {
        result = fma(vec4<f32>(first + last), scales.d_first * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m_first, vec4(x_scale * f32(bitcast<i32>(facts.y))), result);
        }
    }
    return result;
}
