// Rows of the head that can be among the best, in no order.

struct Found {
    count: atomic<u32>,
    capacity: u32,
    padding: vec2<u32>,
    rows: array<vec2<u32>>, // [capacity] row, bits of its logit
}

fn take(row: u32, logit: f32, threshold: u32) {
    if key_of(logit) >= threshold {
        let at = atomicAdd(&found.count, 1u);
        if at < found.capacity {
            found.rows[at] = vec2(row, bitcast<u32>(logit));
        }
    }
}
