// A session's keys and values of one layer. Position p lies at place p % capacity.
//
// keys    [kv_heads][capacity / 64][head_dim / 2][64] pairs of columns: a lane reads its own position
// values  [kv_heads][capacity][head_dim / 2] pairs: a lane reads its own columns

struct Slot {
    kv_heads: u32,
    head_dim: u32,
    capacity: u32,  // a multiple of 64
    window: u32,    // positions that a query sees, itself included; 0: all
    heads: u32,     // of queries
    scale: f32,     // of scores
    softcap: f32,   // of scores; 0: none
}

@group(1) @binding(0) var<uniform> slot: Slot;
@group(1) @binding(1) var<storage, read_write> keys: array<Pair>;
@group(1) @binding(2) var<storage, read_write> values: array<Pair>;

fn key_index(kv_head: u32, place: u32, pair: u32) -> u32 {
    let block = kv_head * (slot.capacity / 64u) + place / 64u;
    return (block * (slot.head_dim / 2u) + pair) * 64u + place % 64u;
}

fn value_index(kv_head: u32, place: u32, pair: u32) -> u32 {
    return (kv_head * slot.capacity + place) * (slot.head_dim / 2u) + pair;
}
