//! How an operation refers to the graph around it: by index.

/// Index of a node in [`Graph::nodes`](crate::graph::Graph::nodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Index of a weight in [`Graph::weights`](crate::graph::Graph::weights).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WeightId(pub usize);

/// Index of a cache slot in [`Graph::slots`](crate::graph::Graph::slots).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);
