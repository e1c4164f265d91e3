//! Kernels that must not run as they are: each has something plainer in its place.
//!
//! Of the fused calls the plain ones, of the best logits all of them, of any other kernel the variant that leans on
//! nothing and has every check that wgpu adds.

use super::adapter::Tier;
use super::plan::Call;
use crate::{Error, Result};
use kinglet_shaders::Kernel;
use std::collections::BTreeSet;

/// Denies the fused calls for a single token: all their names begin so.
pub const ONE_ROW: &str = "stage_";
/// Denies the calls for the best logits.
pub const BEST: &str = "best_pick";
/// Ends the name of a kernel that runs as its plainest variant.
pub(super) const SAFE: &str = "_safe";

/// What runs in place of a denied kernel, for people.
pub fn stand_in(kernel: &str) -> String {
    if [ONE_ROW, BEST].contains(&kernel) { "plain calls".into() } else { format!("{kernel}{SAFE}") }
}

/// Names of kernels, or beginnings of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Denied(Vec<String>);

impl Denied {
    /// Those that a caller denies, on a device of this tier.
    ///
    /// # Errors
    /// For a name that none of `calls` has, and where there is nothing plainer.
    pub(super) fn new<'a>(names: &[String], tier: Tier, calls: impl Iterator<Item = &'a Call>) -> Result<Self> {
        let denied = Self(names.to_vec());
        let known: BTreeSet<(String, bool)> =
            calls.map(|call| (call.kernel.name(), has_plain_calls(call.kernel))).collect();
        for name in names {
            let mut meant = known.iter().filter(|(kernel, _)| kernel.starts_with(name)).peekable();
            if meant.peek().is_none() {
                let all: Vec<&str> = known.iter().map(|(kernel, _)| kernel.as_str()).collect();
                let what = format!("names {name}, which is no kernel of this model; it has {}", all.join(", "));
                return Err(Error::Option { name: "gpu_deny".into(), what });
            }
            if let Some((kernel, _)) = meant.find(|(_, plain)| !plain && tier == Tier::Plain) {
                let why = "it is denied, and tier 0 has nothing plainer".into();
                return Err(Error::Gpu { what: format!("the kernel {kernel}"), why });
            }
        }
        Ok(denied)
    }

    /// Whether this kernel is one of them.
    pub(super) fn has(&self, kernel: Kernel) -> bool {
        let name = (!self.0.is_empty()).then(|| kernel.name());
        name.is_some_and(|name| self.0.iter().any(|denied| name.starts_with(denied)))
    }

    /// Whether none of these calls has a denied kernel that other calls stand in for.
    pub(super) fn allows(&self, calls: &[Call]) -> bool {
        !calls.iter().any(|call| has_plain_calls(call.kernel) && self.has(call.kernel))
    }
}

/// Whether other kernels do the same where this one is left out.
fn has_plain_calls(kernel: Kernel) -> bool {
    use Kernel::{BestPick, BestSharpen, BestThreshold, HeadBest, HeadBounds, LogitBounds};
    use Kernel::{StageHeads, StageProduct, StageRow};
    matches!(
        kernel,
        StageRow(_)
            | StageProduct(..)
            | StageHeads(_)
            | HeadBounds(_)
            | LogitBounds
            | BestThreshold
            | BestSharpen
            | HeadBest(_)
            | BestPick
    )
}
