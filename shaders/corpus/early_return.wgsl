// WHY: AMD's compiler loses what comes after several returns in a loop, though none of them is taken.
// y = 1 for each word of x, which are positive.
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) lane: u32) {
    let value = bitcast<i32>(x[lane]);
    y[lane] = 0u;
    for (var i = 0; i < 1; i++) {
        if value < 0 {
            if value < 0 {
                return;
            }
        }
        if i > 2 {
            return;
        }
        if value < 0 {
            return;
        }
        y[lane] = 1u;
    }
}
