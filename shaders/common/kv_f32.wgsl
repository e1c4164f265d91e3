// Keys and values as computed.

alias Pair = vec2<f32>;

fn to_pair(x: vec2<f32>) -> Pair {
    return x;
}

fn from_pair(pair: Pair) -> vec2<f32> {
    return pair;
}
