// Sum and maximum over the 64 lanes of a group: within each subgroup by the device, then over the subgroups' results in
// the order of lanes. Every lane gets the result. Nothing is assumed of a subgroup's size.

var<workgroup> reduced: array<vec4<f32>, 16>;

fn reduce_sum(value: f32, lane: u32) -> f32 {
    let own = subgroupAdd(value);
    let is_first = subgroupExclusiveAdd(1u) == 0u;
    workgroupBarrier();
    reduced[lane / 4u][lane % 4u] = select(0.0, own, is_first);
    workgroupBarrier();
    var sum = vec4(0.0);
    for (var i = 0u; i < 16u; i++) {
        sum += reduced[i];
    }
    return (sum.x + sum.y) + (sum.z + sum.w);
}

fn reduce_max(value: f32, lane: u32) -> f32 {
    let own = subgroupMax(value);
    workgroupBarrier();
    reduced[lane / 4u][lane % 4u] = own;
    workgroupBarrier();
    var most = reduced[0];
    for (var i = 1u; i < 16u; i++) {
        most = max(most, reduced[i]);
    }
    return max(max(most.x, most.y), max(most.z, most.w));
}
