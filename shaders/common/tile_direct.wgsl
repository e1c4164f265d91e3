// Activations of the 16 rows of a tile's product, from where they are: neighbours share what they read.

fn x_word(at: u32) -> u32 {
    return x[at / 4u][at % 4u];
}

fn stage(first_row: u32, first: u32, blocks: u32, invocation: u32) {}

// Where a row's part of a segment begins. A row that there is not reads another and counts for nothing.
fn x_place(first_row: u32, row: u32, first: u32) -> u32 {
    return (min(first_row + row, row_count() - 1u) * matrix.blocks + first) * X_VECTORS;
}
