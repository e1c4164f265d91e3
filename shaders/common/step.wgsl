// What a chunk of tokens is, written once before its kernels run.

struct Step {
    rows: u32,          // tokens of the chunk
    position: u32,      // of the first one
    wanted_first: u32,  // the first token whose logits are wanted
    wanted: u32,        // how many there are
}

// In place of a place or a number: there is none.
const NONE: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> step: Step;

// The kernel's rows are only those whose logits are wanted.
override PICKED: bool = false;

fn row_count() -> u32 {
    return select(step.rows, step.wanted, PICKED);
}

fn first_position() -> u32 {
    return step.position + select(0u, step.wanted_first, PICKED);
}
