// The non-linearities. Exponents are kept where no device has to return an infinity.

override GELU: bool = false; // else SiLU

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

// 1 - tanh would cancel near 0, where the series is exact enough.
fn tanh_of(x: f32) -> f32 {
    if abs(x) < 0.04 {
        return x * (1.0 - x * x * (1.0 / 3.0 - x * x * (2.0 / 15.0)));
    }
    return 2.0 * sigmoid(2.0 * x) - 1.0;
}

// GELU in its tanh form, 0.5 * (1 + tanh(y)) being the sigmoid of 2y; or x * sigmoid(x).
fn activate(x: f32) -> f32 {
    let y = 0.7978846 * x * (1.0 + 0.044715 * x * x);
    return x * sigmoid(select(x, 2.0 * y, GELU));
}
