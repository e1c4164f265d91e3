// What the best logits reach at least: as many tiles as are wanted hold one that does. Those tiles are chosen.
//
// One group of 256 invocations; bindings in `common/chosen.wgsl`. Workgroup memory: 2 KiB.

// Nothing sharper comes after it: all penalties are taken off.
override FINAL: bool = false;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    // Greater than every key.
    var last = vec2(0xffffffffu, 0u);
    for (var round = 0u; round < wish.count; round++) {
        var own = vec2(0u, NONE);
        for (var tile = lane; tile < tiles; tile += 256u) {
            let candidate = vec2(bounds[tile].x, tile);
            if greater(last, candidate) && greater(candidate, own) {
                own = candidate;
            }
        }
        last = find_greatest(own, lane);
    }
    if FINAL {
        last.x = floor_key(last.x, wish);
    }
    choose(last.x, FINAL, lane);
}
