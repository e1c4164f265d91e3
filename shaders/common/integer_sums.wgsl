// Block sums of integer activations: exact in 32 bits, the same on every device.

fn code_sum(codes: vec4<u32>) -> u32 {
    return dot4(codes.x, 0x01010101u) + dot4(codes.y, 0x01010101u) + dot4(codes.z, 0x01010101u)
        + dot4(codes.w, 0x01010101u);
}

// Sum of weight (without its scale) times integer over 16 columns, those of `group`; the activation's block begins at `at`.
fn half_sum(codes: vec4<u32>, at: u32, group: u32) -> i32 {
    return bitcast<i32>(products(codes, at + 4u * group) - CODE_BIAS * x_word(at + X_SCALE + 2u + group));
}

// Adds a block's part to an output's running sum, in the order of the CPU's kernels.
fn add_block(codes: Codes, scales: BlockScales, at: u32, sum: f32) -> f32 {
    let x_scale = bitcast<f32>(x_word(at + X_SCALE));
    let first = half_sum(codes.first, at, 0u);
    let last = half_sum(codes.last, at, 1u);
    var result = sum;
    if GROUPS == 2u {
        result = fma(f32(first), scales.d.x * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m.x, x_scale * f32(bitcast<i32>(x_word(at + X_SCALE + 2u))), result);
        }
        result = fma(f32(last), scales.d.y * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m.y, x_scale * f32(bitcast<i32>(x_word(at + X_SCALE + 3u))), result);
        }
    } else {
        result = fma(f32(first + last), scales.d.x * x_scale, result);
        if HAS_MIN {
            result = fma(scales.m.x, x_scale * f32(bitcast<i32>(x_word(at + X_SCALE + 1u))), result);
        }
    }
    return result;
}
