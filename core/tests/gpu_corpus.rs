//! The corpus of known driver bugs on the machine's GPU. Without an adapter this test fails: install Mesa's software
//! Vulkan (Debian: `mesa-vulkan-drivers`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::tiers::tiers;
use kinglet::backend::gpu::{Outcome, Tier, corpus};

/// A GPU that fails an entry is no ground for tests: what the other tests say of it would not be the kernels' fault.
#[test]
fn this_device_has_no_other_known_bug() {
    let subgroups = tiers().contains(&Tier::Subgroup);
    let mut told = Vec::new();
    let corpus = corpus(None, &mut |tried| told.push(tried.name.clone())).unwrap();
    assert_eq!(told, corpus.tried.iter().map(|tried| tried.name.clone()).collect::<Vec<_>>());
    for tried in &corpus.tried {
        let right = match &tried.outcome {
            Outcome::Passed => true,
            Outcome::Skipped(why) => !subgroups && tried.name.starts_with("subgroup") && why.contains("subgroups"),
            // Older Mesa's software Vulkan ends loops after 65,535 rounds.
            Outcome::Failed(wrong) => {
                corpus.adapter.name.contains("llvmpipe") && tried.name == "long_loop" && wrong.index == 0
            }
            Outcome::Refused(_) | Outcome::Lost(_) => false,
        };
        assert!(right, "{}: {} {:?}", tried.name, tried.outcome.name(), tried.outcome.why());
    }
}
