// A block's activations as a lane's product uses them: every lane reads all of them. The kernel says from where:
// `x_vector(at)` gives a vector of four words.

// Where a block begins, in vectors.
struct Held {
    at: u32,
}

fn find_lane() {}

fn hold(at: u32) -> Held {
    return Held(at);
}

fn held(x: Held, i: u32) -> vec4<u32> {
    return x_vector(x.at + i);
}
