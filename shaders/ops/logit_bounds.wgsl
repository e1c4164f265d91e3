// The greatest logit of each tile of 64, as keys; where the whole head is computed.
//
// logits  [vocab]
// bounds  [tiles]: lower, upper
//
// One group of 64 invocations makes one tile. Grid: tiles. Workgroup memory: 256 bytes.

@group(0) @binding(1) var<uniform> vocab: u32;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> bounds: array<vec2<u32>>;

var<workgroup> keys: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group.x * 64u + lane;
    keys[lane] = 0u;
    if i < vocab {
        keys[lane] = key_of(logits[i]);
    }
    workgroupBarrier();
    if lane == 0u {
        var all = vec2(0u);
        for (var j = 0u; j < 64u; j++) {
            all = max(all, vec2(least_key(keys[j]), keys[j]));
        }
        bounds[group.x] = all;
    }
}
