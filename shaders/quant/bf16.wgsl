// Weights as bf16, two a word: the upper halves of f32.

fn weight(index: u32) -> f32 {
    let word = low[index / 2u];
    return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (index & 1u) == 1u));
}
