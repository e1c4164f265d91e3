// Weights as f32.

fn weight(index: u32) -> f32 {
    return bitcast<f32>(low[index]);
}
