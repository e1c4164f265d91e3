//! What several test programs share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod golden;
pub mod models;
pub mod tiers;

/// The reference and software Vulkan are slow: with this variable set, every prompt and window is checked, else enough to
/// see a mistake.
pub fn everything() -> bool {
    std::env::var_os("KINGLET_TEST_EVERYTHING").is_some()
}
