// Attention of one query head over the positions that it may see, in blocks of 64 positions with a running maximum
// (arXiv 1805.02867), so that the order of additions depends on positions alone.
//
// q, out  [rows][heads][head_dim], head_dim at most 512
//
// One group of 64 invocations makes one head of one row: for scores a lane is a position, for values pairs of columns.
// Grid: heads x rows. Workgroup memory: 2.5 KiB.

@group(0) @binding(1) var<storage, read> q: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

var<workgroup> query: array<vec2<f32>, 256>;
var<workgroup> weights: array<f32, 64>;

const NONE: f32 = -3e38; // below every score, without an infinity

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let pairs = slot.head_dim / 2u;
    let source = (group.y * slot.heads + head) * pairs;
    for (var i = lane; i < pairs; i += 64u) {
        query[i] = q[source + i];
    }
    workgroupBarrier();

    let kv_head = head / (slot.heads / slot.kv_heads);
    let end = first_position() + group.y + 1u;
    var start = 0u;
    if slot.window > 0u && end > slot.window {
        start = end - slot.window;
    }
    var peak = NONE;
    var sum = 0.0;
    var result_0 = vec2(0.0); // columns of pairs lane, lane + 64, lane + 128, lane + 192
    var result_1 = vec2(0.0);
    var result_2 = vec2(0.0);
    var result_3 = vec2(0.0);
    for (var block = start / 64u; block * 64u < end; block++) {
        let position = block * 64u + lane;
        let sees = position >= start && position < end;
        var score = NONE;
        if sees {
            score = score_of(kv_head, position % slot.capacity, pairs);
        }
        let new_peak = max(peak, reduce_max(score, lane));
        var weight = 0.0;
        if sees {
            weight = exp(score - new_peak);
        }
        weights[lane] = weight;
        let shrink = exp(max(peak - new_peak, -80.0)) * select(1.0, 0.0, peak == NONE);
        peak = new_peak;
        workgroupBarrier();
        sum *= shrink;
        result_0 *= shrink;
        result_1 *= shrink;
        result_2 *= shrink;
        result_3 *= shrink;
        let first = max(start, block * 64u);
        let last = min(end, block * 64u + 64u);
        for (var position = first; position < last; position++) {
            let weight = weights[position % 64u];
            let at = value_index(kv_head, position % slot.capacity, 0u);
            sum += weight;
            result_0 = fma(vec2(weight), from_pair(values[at + min(lane, pairs - 1u)]), result_0);
            if pairs > 64u {
                result_1 = fma(vec2(weight), from_pair(values[at + min(lane + 64u, pairs - 1u)]), result_1);
            }
            if pairs > 128u {
                result_2 = fma(vec2(weight), from_pair(values[at + min(lane + 128u, pairs - 1u)]), result_2);
                result_3 = fma(vec2(weight), from_pair(values[at + min(lane + 192u, pairs - 1u)]), result_3);
            }
        }
        workgroupBarrier();
    }
    store(source, lane, pairs, result_0 / sum);
    store(source, lane + 64u, pairs, result_1 / sum);
    store(source, lane + 128u, pairs, result_2 / sum);
    store(source, lane + 192u, pairs, result_3 / sum);
}

fn score_of(kv_head: u32, place: u32, pairs: u32) -> f32 {
    let at = key_index(kv_head, place, 0u);
    var sums = vec2(0.0);
    for (var pair = 0u; pair < pairs; pair++) {
        sums = fma(query[pair], from_pair(keys[at + pair * 64u]), sums);
    }
    let score = (sums.x + sums.y) * slot.scale;
    if slot.softcap > 0.0 {
        return slot.softcap * tanh_of(score / slot.softcap);
    }
    return score;
}

fn store(source: u32, pair: u32, pairs: u32, result: vec2<f32>) {
    if pair < pairs {
        out[source + pair] = result;
    }
}
