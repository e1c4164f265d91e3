//! The tiers of the GPU that tests run on.

use kinglet::backend::gpu::{Tier, adapters};

/// All that the first adapter offers; Mesa's, which CI has, offers all there are.
pub fn tiers() -> Vec<Tier> {
    let adapters = adapters();
    let first = adapters.first().expect("no GPU; install Mesa's software Vulkan (Debian: mesa-vulkan-drivers)");
    let tiers = first.tiers();
    assert!(!first.name.contains("llvmpipe") || tiers.len() == Tier::ALL.len(), "{first:?}");
    tiers
}
