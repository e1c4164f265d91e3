// Attention of one query head over the positions that it may see, in blocks of 64 positions with a running maximum
// (arXiv 1805.02867), so that the order of additions depends on positions alone. A group of 64 lanes: for scores a lane is
// a position, for values pairs of columns. The kernel gives `HAS_OWN`, whether the last position is not in the cache but
// at `own_key(pair)` and `own_value(pair)`, and takes the result by `store_pair(at, pair)`.

const HEAD_PAIRS: u32 = 256u; // of the widest head

var<workgroup> query: array<vec2<f32>, HEAD_PAIRS>;
var<workgroup> weights: array<f32, 64>;

const NONE_YET: f32 = -3e38; // below every score, without an infinity

// Of the query in `query`, before position `end`, written from pair `result` on.
fn attend(head: u32, end: u32, result: u32, lane: u32) {
    let pairs = slot.head_dim / 2u;
    let kv_head = head / (slot.heads / slot.kv_heads);
    let cached = select(end, end - 1u, HAS_OWN);
    var start = 0u;
    if slot.window > 0u && end > slot.window {
        start = end - slot.window;
    }
    var peak = NONE_YET;
    var sum = 0.0;
    var result_0 = vec2(0.0); // columns of pairs lane, lane + 64, lane + 128, lane + 192
    var result_1 = vec2(0.0);
    var result_2 = vec2(0.0);
    var result_3 = vec2(0.0);
    for (var block = start / 64u; block * 64u < end; block++) {
        let position = block * 64u + lane;
        let sees = position >= start && position < end;
        var score = NONE_YET;
        if sees {
            score = capped(score_of(kv_head, position, cached, pairs) * slot.scale);
        }
        let new_peak = max(peak, reduce_max(score, lane));
        var weight = 0.0;
        if sees {
            weight = exp(score - new_peak);
        }
        weights[lane] = weight;
        let shrink = exp(max(peak - new_peak, -80.0)) * select(1.0, 0.0, peak == NONE_YET);
        peak = new_peak;
        workgroupBarrier();
        sum *= shrink;
        result_0 *= shrink;
        result_1 *= shrink;
        result_2 *= shrink;
        result_3 *= shrink;
        let first = max(start, block * 64u);
        let last = min(cached, block * 64u + 64u);
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
        if HAS_OWN && block * 64u + 64u >= end {
            let weight = weights[cached % 64u];
            sum += weight;
            result_0 = fma(vec2(weight), own_value(min(lane, pairs - 1u)), result_0);
            result_1 = fma(vec2(weight), own_value(min(lane + 64u, pairs - 1u)), result_1);
            result_2 = fma(vec2(weight), own_value(min(lane + 128u, pairs - 1u)), result_2);
            result_3 = fma(vec2(weight), own_value(min(lane + 192u, pairs - 1u)), result_3);
        }
        workgroupBarrier();
    }
    store(result, lane, pairs, result_0 / sum);
    store(result, lane + 64u, pairs, result_1 / sum);
    store(result, lane + 128u, pairs, result_2 / sum);
    store(result, lane + 192u, pairs, result_3 / sum);
}

fn score_of(kv_head: u32, position: u32, cached: u32, pairs: u32) -> f32 {
    var sums = vec2(0.0);
    if position < cached {
        let at = key_index(kv_head, position % slot.capacity, 0u);
        for (var pair = 0u; pair < pairs; pair++) {
            sums = fma(query[pair], from_pair(keys[at + pair * 64u]), sums);
        }
    } else if HAS_OWN {
        for (var pair = 0u; pair < pairs; pair++) {
            sums = fma(query[pair], own_key(pair), sums);
        }
    }
    return sums.x + sums.y;
}

fn capped(score: f32) -> f32 {
    if slot.softcap > 0.0 {
        return slot.softcap * tanh_of(score / slot.softcap);
    }
    return score;
}

fn store(result: u32, pair: u32, pairs: u32, value: vec2<f32>) {
    if pair < pairs {
        store_pair(result + pair, value);
    }
}
