// WHY: AMD's compiler on Metal unrolls three nested loops wrongly: it visits half of what it should, and a counter
// that was declared before its loop does not have its last value after it.
// y = for each cell of a cube of 27 the neighbours across a corner, in thousands; then where the three counters
// ended.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(3, 3, 3)
fn main(@builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let cell = vec3<i32>(id);
    var visited = 0u;
    var i: i32;
    var j: i32;
    var k: i32;
    for (k = -1; k < 2; k++) {
        for (j = -1; j < 2; j++) {
            for (i = -1; i < 2; i++) {
                let there = cell + vec3(i, j, k);
                if i != 0 && j != 0 && k != 0 && all(there >= vec3(0)) && all(there < vec3(3)) {
                    visited++;
                }
            }
        }
    }
    y[lane] = 1000u * visited + u32(100 * k + 10 * j + i);
}
