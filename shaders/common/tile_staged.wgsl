// Activations of the 16 rows of a tile's product, staged in workgroup memory segment by segment.

var<workgroup> staged: array<vec4<u32>, 128u * X_VECTORS>; // [16][SEGMENT][X_VECTORS]

fn x_vector(at: u32) -> vec4<u32> {
    return staged[at];
}

fn stage(first_row: u32, first: u32, blocks: u32, invocation: u32) {
    let row_vectors = SEGMENT * X_VECTORS;
    workgroupBarrier();
    for (var i = invocation; i < 16u * row_vectors; i += 64u) {
        // Rows that there are not, and blocks beyond the last, read what is there and count for nothing.
        let row = min(first_row + i / row_vectors, row_count() - 1u);
        let vector = min(i % row_vectors, blocks * X_VECTORS - 1u);
        staged[i] = x[(row * matrix.blocks + first) * X_VECTORS + vector];
    }
    workgroupBarrier();
}

// Where a row's part of a segment begins.
fn x_place(first_row: u32, row: u32, first: u32) -> u32 {
    return row * SEGMENT * X_VECTORS;
}
