// Sum and maximum over the 64 lanes of a group, through workgroup memory, in a fixed order. Every lane gets the result.

var<workgroup> reduced: array<f32, 64>;

fn reduce_sum(value: f32, lane: u32) -> f32 {
    workgroupBarrier();
    reduced[lane] = value;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if lane < half {
            reduced[lane] += reduced[lane + half];
        }
        workgroupBarrier();
    }
    return reduced[0];
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    workgroupBarrier();
    reduced[lane] = value;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if lane < half {
            reduced[lane] = max(reduced[lane], reduced[lane + half]);
        }
        workgroupBarrier();
    }
    return reduced[0];
}
