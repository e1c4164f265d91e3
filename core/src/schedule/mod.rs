//! How a graph is run: stages that cover its nodes, and where each value lies. Knows nothing of devices.
