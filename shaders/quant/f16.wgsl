// Weights as f16, two a word.

fn weight(index: u32) -> f32 {
    let pair = unpack2x16float(low[index / 2u]);
    return select(pair.x, pair.y, (index & 1u) == 1u);
}
