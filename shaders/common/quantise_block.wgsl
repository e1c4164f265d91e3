// Rounding to integers: 32 columns share a scale. The kernel says where they come from and go to: `x_source(i)` gives
// vectors of four columns, `store_x(i, vector)` takes those of `common/activations_*.wgsl`.

// A constant, since a product is rounded the same everywhere, and a quotient may be off by 2.5 units in the last place.
const X_STEP: f32 = 1.0 / X_LIMIT;

// x = scale * integer; the scale and its inverse from the greatest magnitude of the block.
fn scale_of(peak: f32) -> vec2<f32> {
    if peak > 1e-30 {
        return vec2(peak * X_STEP, X_LIMIT / peak);
    }
    // Nothing, or as good as nothing. Not-a-number stays what it is.
    return vec2(peak * 0.0, 0.0);
}

fn to_integers(x: vec4<f32>, inverse: f32) -> vec4<i32> {
    return vec4<i32>(round(clamp(x * inverse, vec4(-X_LIMIT), vec4(X_LIMIT))));
}

fn add_up(q: vec4<i32>) -> i32 {
    return (q.x + q.y) + (q.z + q.w);
}

// 16 columns, and the sum of their integers.
fn quantise_half(source: u32, result: u32, inverse: f32) -> i32 {
    let a = to_integers(x_source(source), inverse);
    let b = to_integers(x_source(source + 1u), inverse);
    let c = to_integers(x_source(source + 2u), inverse);
    let d = to_integers(x_source(source + 3u), inverse);
    store_half(a, b, c, d, result);
    return (add_up(a) + add_up(b)) + (add_up(c) + add_up(d));
}

// The block whose vectors begin at `source`, to those from `result` on.
fn quantise(source: u32, result: u32) {
    var peaks = vec4(0.0);
    var energy = 0.0;
    for (var i = 0u; i < 8u; i++) {
        let four = x_source(source + i);
        peaks = max(peaks, abs(four));
        energy += dot(four, four);
    }
    let scale = scale_of(max(max(peaks.x, peaks.y), max(peaks.z, peaks.w)));
    let first = quantise_half(source, result, scale.y);
    let last = quantise_half(source + 4u, result + 1u, scale.y);
    let sums = bitcast<vec2<u32>>(vec2(first + last, first));
    store_x(result + X_FACTS, vec4(bitcast<u32>(scale.x), sums, bitcast<u32>(energy)));
}
