// Keys and values as pairs of f16 in a word.

alias Pair = u32;

fn to_pair(x: vec2<f32>) -> Pair {
    return pack2x16float(x);
}

fn from_pair(pair: Pair) -> vec2<f32> {
    return unpack2x16float(pair);
}
