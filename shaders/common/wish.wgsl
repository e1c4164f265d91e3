// Which of the best logits are wanted.

struct Wish {
    count: u32,
    penalty: f32,   // may divide a positive logit and multiply a negative one; at least 1
    less: f32,      // may be taken from it after that; at least 0
}

// What is left of a logit after all penalties, a rounding less: divided here or on the host may differ by one.
fn floor_key(key: u32, wish: Wish) -> u32 {
    let logit = float_of(key);
    let penalised = select(logit * wish.penalty, logit / wish.penalty, logit > 0.0) - wish.less;
    // Where fewer are known than are wanted, everything is.
    return select(key_of(penalised - abs(penalised) * 1e-6), 0u, key == 0u);
}
