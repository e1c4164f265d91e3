// Sum and maximum over the first 64 lanes of a group, as the same tree as `reduce_workgroup.wgsl`, whose lowest three levels
// are within subgroups. Every lane gets the result. Subgroups have at least 8 lanes; which ones is not assumed.

var<workgroup> reduced: array<f32, 64>;

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
    workgroupBarrier();
    if lane < 64u {
        reduced[lane] = value;
    }
    workgroupBarrier();
    let i = subgroupExclusiveAdd(1u) % 8u;
    var sum = add_eight(
        vec4(reduced[i], reduced[i + 8u], reduced[i + 16u], reduced[i + 24u]),
        vec4(reduced[i + 32u], reduced[i + 40u], reduced[i + 48u], reduced[i + 56u]),
    );
    sum += subgroupShuffleXor(sum, 4u);
    sum += subgroupShuffleXor(sum, 2u);
    return sum + subgroupShuffleXor(sum, 1u);
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    workgroupBarrier();
    if lane < 64u {
        reduced[lane] = value;
    }
    workgroupBarrier();
    let i = subgroupExclusiveAdd(1u) % 8u;
    var most = max_eight(
        vec4(reduced[i], reduced[i + 8u], reduced[i + 16u], reduced[i + 24u]),
        vec4(reduced[i + 32u], reduced[i + 40u], reduced[i + 48u], reduced[i + 56u]),
    );
    most = max(most, subgroupShuffleXor(most, 4u));
    most = max(most, subgroupShuffleXor(most, 2u));
    return max(most, subgroupShuffleXor(most, 1u));
}
