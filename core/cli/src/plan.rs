//! A model's precision plan in a file.

use crate::failure::Failure;
use crate::input;
use kinglet::graph::PrecisionPlan;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What `activations --plan` writes and `--gpu-precision` reads.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of the model that was measured.
    pub model_sha256: String,
    /// By node; all others are f32.
    pub stored: PrecisionPlan,
}

impl Plan {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        serde_json::from_str(&input::read(path)?).map_err(|error| {
            let what = format!("is no plan as `activations --plan` writes it: {} {error}", path.display());
            Failure::option("--gpu-precision", what)
        })
    }

    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(self).map_err(|error| Failure::Output(error.into()))?;
        std::fs::write(path, json + "\n").map_err(|source| Failure::write(path, &source))
    }
}
