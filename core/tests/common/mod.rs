//! What several test programs share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod golden;
pub mod models;
pub mod tiers;
