// The greatest of what 256 invocations hold: keys, each with a number of its own.

var<workgroup> greatest: array<vec2<u32>, 256>;

fn greater(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x > b.x || (a.x == b.x && a.y < b.y);
}

fn find_greatest(own: vec2<u32>, lane: u32) -> vec2<u32> {
    workgroupBarrier();
    greatest[lane] = own;
    workgroupBarrier();
    for (var others = 128u; others > 0u; others = others / 2u) {
        if lane < others && greater(greatest[lane + others], greatest[lane]) {
            greatest[lane] = greatest[lane + others];
        }
        workgroupBarrier();
    }
    return greatest[0];
}
