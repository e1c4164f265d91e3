// Writes the chunk's keys and values to a layer's cache.
//
// k, v  [rows][kv_heads * head_dim]
//
// One invocation writes one pair of columns of both. Grid: width / 128 x rows.

@group(0) @binding(1) var<storage, read> k: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> v: array<vec2<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let pairs = slot.head_dim / 2u;
    if id.x >= slot.kv_heads * pairs {
        return;
    }
    let source = id.y * slot.kv_heads * pairs + id.x;
    let place = (step.position + id.y) % slot.capacity;
    keys[key_index(id.x / pairs, place, id.x % pairs)] = to_pair(k[source]);
    values[value_index(id.x / pairs, place, id.x % pairs)] = to_pair(v[source]);
}
