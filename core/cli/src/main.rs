//! The binary `kinglet`.
fn main() {}
