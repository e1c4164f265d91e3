// out = x / sqrt(mean(x^2) + eps) * weight, over groups of `dim` columns.
//
// x, out  [rows][groups][dim]
// weight  [dim]
//
// One group of 64 invocations makes one group of columns. Grid: groups x rows. Workgroup memory: 288 bytes.

struct Norm {
    dim: u32,
    groups: u32,
    eps: f32,
}

@group(0) @binding(1) var<uniform> norm: Norm;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn x_at(at: u32) -> f32 {
    return x[at];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = (group.y * norm.groups + group.x) * norm.dim;
    let scale = norm_scale(at, norm.dim, norm.eps, lane);
    for (var i = lane; i < norm.dim; i += 64u) {
        out[at + i] = x[at + i] * scale * weight[i];
    }
}
