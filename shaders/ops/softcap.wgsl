// out = cap * tanh(x / cap).
//
// x, out  [rows][width]
//
// One invocation makes one column. Grid: width % 2^21 / 64 x rows x width / 2^21.

struct Softcap {
    width: u32,
    cap: f32,
}

@group(0) @binding(1) var<uniform> softcap: Softcap;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.z * 2097152u + id.x;
    if column < softcap.width {
        let at = id.y * softcap.width + column;
        out[at] = softcap.cap * tanh_of(x[at] / softcap.cap);
    }
}
