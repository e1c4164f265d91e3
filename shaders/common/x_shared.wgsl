// A block's activations as a lane's product uses them: eight neighbours of a subgroup, which all use the same, read
// every eighth word each and pass them on. The kernel says from where: `x_word(at)` gives a word.
//
// Invocations i, i + 1, ..., i + 7 of a group, where i is a multiple of 8, must be such neighbours, as they are wherever
// groups have one dimension.

// A block's words i, i + 8, i + 16, i + 24 of the i-th neighbour.
struct Held {
    words: vec4<u32>,
}

var<private> neighbour: u32;
// The first of the eight, in its subgroup.
var<private> first_neighbour: u32;

fn find_lane() {
    let lane = subgroupExclusiveAdd(1u);
    neighbour = lane % 8u;
    first_neighbour = lane - neighbour;
}

fn hold(at: u32) -> Held {
    let first = 4u * at + neighbour;
    var words = vec4(x_word(first), 0u, 0u, 0u);
    if X_VECTORS > 3u {
        words.y = x_word(first + 8u);
        // Of half a row, the upper neighbours read what the lower ones do.
        words.z = x_word(select(4u * at + 16u + neighbour % 4u, first + 16u, X_VECTORS > 5u));
    } else {
        words.y = x_word(4u * at + 8u + neighbour % 4u);
    }
    if X_VECTORS > 6u {
        words.w = x_word(first + 24u);
    }
    return Held(words);
}

fn held(x: Held, i: u32) -> vec4<u32> {
    let word = x.words[i / 2u];
    let first = first_neighbour + (i % 2u) * 4u;
    return vec4(
        subgroupShuffle(word, first),
        subgroupShuffle(word, first + 1u),
        subgroupShuffle(word, first + 2u),
        subgroupShuffle(word, first + 3u),
    );
}
