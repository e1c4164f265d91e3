// Attention of one query head over the positions that it may see.
//
// q, out  [rows][heads][head_dim], head_dim at most 512
//
// One group of 64 invocations makes one head of one row. Grid: heads x rows. Workgroup memory: 2.5 KiB.

@group(0) @binding(1) var<storage, read> q: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

// Everything is in the cache.
const HAS_OWN: bool = false;

fn own_key(pair: u32) -> vec2<f32> {
    return vec2(0.0);
}

fn own_value(pair: u32) -> vec2<f32> {
    return vec2(0.0);
}

fn store_pair(at: u32, pair: vec2<f32>) {
    out[at] = pair;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let pairs = slot.head_dim / 2u;
    let at = (group.y * slot.heads + group.x) * pairs;
    for (var i = lane; i < pairs; i += 64u) {
        query[i] = q[at + i];
    }
    workgroupBarrier();
    attend(group.x, first_position() + group.y + 1u, at, lane);
}
