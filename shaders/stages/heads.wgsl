// One token's attention, from the raw outputs of the products with its queries, keys and values: norm and rope of query
// and key where there are some, key and value into the cache, and what the heads saw.
//
// row      values of the token: queries [heads][head_dim] and so on, each from the place that `heads` gives
// vectors  [..] all vectors of the model
// turns    [dims / 2] (sine, cosine)
//
// One group of 64 invocations makes one query head, and for that its key again: the cache at the token's own place is
// written by the first of those that share it and read by none. Grid: heads. Workgroup memory: 8.5 KiB.

struct Heads {
    q: u32,
    k: u32,
    v: u32,
    out: u32,
    q_norm: u32,    // weights; NONE without
    k_norm: u32,
    eps: f32,
    dims: u32,      // columns of a head that turn
    adjacent: u32,  // see `ops/rope.wgsl`
}

@group(0) @binding(1) var<uniform> heads: Heads;
@group(0) @binding(2) var<storage, read> turns: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read> vectors: array<f32>;
@group(0) @binding(4) var<storage, read_write> row: array<f32>;

const HAS_OWN: bool = true;

var<workgroup> columns: array<f32, 512>; // of one head, before rope
var<workgroup> key: array<vec2<f32>, HEAD_PAIRS>; // the token's own, as the cache holds it
var<workgroup> value: array<vec2<f32>, HEAD_PAIRS>;

fn x_at(at: u32) -> f32 {
    return columns[at];
}

fn own_key(pair: u32) -> vec2<f32> {
    return key[pair];
}

fn own_value(pair: u32) -> vec2<f32> {
    return value[pair];
}

fn store_pair(at: u32, pair: vec2<f32>) {
    row[2u * at] = pair.x;
    row[2u * at + 1u] = pair.y;
}

// Puts a head into `columns`, normed.
fn take(source: u32, weight: u32, lane: u32) {
    workgroupBarrier();
    for (var i = lane; i < slot.head_dim; i += 64u) {
        columns[i] = row[source + i];
    }
    workgroupBarrier();
    if weight != NONE {
        let scale = norm_scale(0u, slot.head_dim, heads.eps, lane);
        for (var i = lane; i < slot.head_dim; i += 64u) {
            columns[i] = columns[i] * scale * vectors[weight + i];
        }
        workgroupBarrier();
    }
}

fn turned_pair(pair: u32) -> vec2<f32> {
    let is_adjacent = heads.adjacent == 1u;
    let first = 2u * pair;
    return vec2(turned(first, first, heads.dims, is_adjacent, 0u), turned(first + 1u, first + 1u, heads.dims, is_adjacent, 0u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let shared_by = slot.heads / slot.kv_heads;
    let kv_head = head / shared_by;
    let pairs = slot.head_dim / 2u;
    take(heads.q + head * slot.head_dim, heads.q_norm, lane);
    for (var i = lane; i < pairs; i += 64u) {
        query[i] = turned_pair(i);
    }
    take(heads.k + kv_head * slot.head_dim, heads.k_norm, lane);
    let place = step.position % slot.capacity;
    let v = heads.v + kv_head * slot.head_dim;
    for (var i = lane; i < pairs; i += 64u) {
        let stored_key = to_pair(turned_pair(i));
        let stored_value = to_pair(vec2(row[v + 2u * i], row[v + 2u * i + 1u]));
        key[i] = from_pair(stored_key);
        value[i] = from_pair(stored_value);
        if head % shared_by == 0u {
            keys[key_index(kv_head, place, i)] = stored_key;
            values[value_index(kv_head, place, i)] = stored_value;
        }
    }
    workgroupBarrier();
    attend(head, step.position + 1u, heads.out / 2u + head * pairs, lane);
}
