// What the best logits reach at least, now that those of the most promising tiles are known. All penalties are taken off;
// the tiles are chosen that can hold one that is left.
//
// One group of 256 invocations; bindings in `common/chosen.wgsl`. Workgroup memory: 2 KiB.

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let count = min(atomicLoad(&found.count), found.capacity);
    var last = vec2(0xffffffffu, 0u);
    for (var round = 0u; round < wish.count; round++) {
        var own = vec2(0u, NONE);
        for (var i = lane; i < count; i += 256u) {
            let row = found.rows[i];
            let candidate = vec2(least_key(key_of(bitcast<f32>(row.y))), row.x);
            if greater(last, candidate) && greater(candidate, own) {
                own = candidate;
            }
        }
        last = find_greatest(own, lane);
    }
    choose(floor_key(last.x, wish), true, lane);
}
