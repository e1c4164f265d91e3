// Rounding to integers: 32 columns share a scale.

// x = scale * integer; the scale and its inverse from the greatest magnitude of the block.
fn scale_of(peak: f32) -> vec2<f32> {
    if peak > 1e-30 {
        return vec2(peak / X_LIMIT, X_LIMIT / peak);
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
