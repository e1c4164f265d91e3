// Activations as integers, in the form of `common/activations_*.wgsl`.
//
// x      [rows][blocks][32] f32
// x_out  [rows][blocks][4 * X_VECTORS] words
//
// One invocation makes one block of 32 columns. Grid: blocks / 64 x rows.

@group(0) @binding(1) var<uniform> blocks: u32;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x_out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= blocks {
        return;
    }
    let block = id.y * blocks + id.x;
    let source = block * 8u;
    let result = block * 4u * X_VECTORS;
    var peaks = abs(x[source]);
    for (var i = 1u; i < 8u; i++) {
        peaks = max(peaks, abs(x[source + i]));
    }
    let scale = scale_of(max(max(peaks.x, peaks.y), max(peaks.z, peaks.w)));
    var first = 0;
    var last = 0;
    for (var i = 0u; i < 4u; i++) {
        let q = to_integers(x[source + i], scale.y);
        store_integers(q, result, i);
        first += add_up(q);
    }
    for (var i = 4u; i < 8u; i++) {
        let q = to_integers(x[source + i], scale.y);
        store_integers(q, result, i);
        last += add_up(q);
    }
    x_out[result + 4u * X_FACTS] = bitcast<u32>(scale.x);
    x_out[result + 4u * X_FACTS + 1u] = bitcast<u32>(first + last);
    x_out[result + 4u * X_FACTS + 2u] = bitcast<u32>(first);
    x_out[result + 4u * X_FACTS + 3u] = bitcast<u32>(last);
}
