// Rotary position embedding of one column of a head. The kernel gives the head's columns as `x_at(at)`.
//
// turns   [rows][dims / 2] (sine, cosine), made by the CPU in f64: an f32 angle is off by milliradians at long contexts

// Column `column` of a head, which lies at `at`; `turn_row` is where the row's turns begin.
fn turned(column: u32, at: u32, dims: u32, adjacent: bool, turn_row: u32) -> f32 {
    if column >= dims {
        return x_at(at);
    }
    let pairs = dims / 2u;
    let is_second = select(column >= pairs, (column & 1u) == 1u, adjacent);
    let pair = select(column % pairs, column / 2u, adjacent);
    let distance = select(pairs, 1u, adjacent);
    let turn = turns[turn_row + pair];
    if is_second {
        return x_at(at - distance) * turn.x + x_at(at) * turn.y;
    }
    return x_at(at) * turn.y - x_at(at + distance) * turn.x;
}
