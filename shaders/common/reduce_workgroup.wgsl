// Sum and maximum over the first 64 lanes of a group, through workgroup memory, as a tree of pairs at distances 32, 16, ... 1.
// Every lane gets the result.

var<workgroup> reduced: array<f32, 64>;
var<workgroup> eighths: array<f32, 8>;

// A tree of eight.
fn add_eight(a: vec4<f32>, b: vec4<f32>) -> f32 {
    let c = a + b;
    return (c.x + c.z) + (c.y + c.w);
}

fn max_eight(a: vec4<f32>, b: vec4<f32>) -> f32 {
    let c = max(a, b);
    return max(max(c.x, c.z), max(c.y, c.w));
}

fn reduce_sum(value: f32, lane: u32) -> f32 {
    if lane < 64u {
        reduced[lane] = value;
    }
    workgroupBarrier();
    if lane < 8u {
        eighths[lane] = add_eight(
            vec4(reduced[lane], reduced[lane + 8u], reduced[lane + 16u], reduced[lane + 24u]),
            vec4(reduced[lane + 32u], reduced[lane + 40u], reduced[lane + 48u], reduced[lane + 56u]),
        );
    }
    // Nobody writes `reduced` before all are here, nor `eighths` before all have written the next `reduced`.
    workgroupBarrier();
    return add_eight(
        vec4(eighths[0], eighths[1], eighths[2], eighths[3]),
        vec4(eighths[4], eighths[5], eighths[6], eighths[7]),
    );
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    if lane < 64u {
        reduced[lane] = value;
    }
    workgroupBarrier();
    if lane < 8u {
        eighths[lane] = max_eight(
            vec4(reduced[lane], reduced[lane + 8u], reduced[lane + 16u], reduced[lane + 24u]),
            vec4(reduced[lane + 32u], reduced[lane + 40u], reduced[lane + 48u], reduced[lane + 56u]),
        );
    }
    workgroupBarrier();
    return max_eight(
        vec4(eighths[0], eighths[1], eighths[2], eighths[3]),
        vec4(eighths[4], eighths[5], eighths[6], eighths[7]),
    );
}
