// The logits that can be among the best, where the whole head is computed.
//
// logits  [vocab]
// chosen  the threshold first
// found   see `common/found.wgsl`
//
// One invocation looks at one logit. Grid: vocab / 64.

@group(0) @binding(1) var<uniform> vocab: u32;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> found: Found;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < vocab {
        take(id.x, logits[id.x], chosen[0]);
    }
}
