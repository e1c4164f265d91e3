//! The GPU backend against goldens that another implementation made, on every tier; and against itself: tiers,
//! schedules and the size of chunks.
//!
//! Without an adapter these tests fail: install Mesa's software Vulkan (Debian: `mesa-vulkan-drivers`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::golden;
use common::models;
use kinglet::backend::gpu::{Gpu, Options, Tier};
use kinglet::precision::{Activations, KvType};
use kinglet::schedule::Keep;
use std::path::Path;

/// 16-bit activations, nothing kept.
fn options() -> Options {
    Options {
        adapter: None,
        tier: Some(Tier::Dot),
        threads: 2,
        chunk: 64,
        activations: Activations::Int16,
        kv: KvType::F16,
        plain: false,
        keep: Keep::Logits,
        lose_after: None,
    }
}

fn gpu(path: &Path, options: Options) -> Gpu {
    let (graph, weights) = models::open(path);
    Gpu::prepare(graph, weights, options, &mut |_, _| {}).unwrap()
}

#[test]
fn tiny_models() {
    for folder in ["tiny", "tiny_extra"] {
        for model in golden::tiny(folder) {
            for tier in Tier::ALL {
                let options = Options { tier: Some(tier), kv: KvType::F32, ..options() };
                let mut program = gpu(&models::data(&format!("{folder}/{}", model.file)), options);
                model.logits(&mut program, 0.02).within(&format!("{} {tier}", model.file), 0.02);
            }
        }
    }
}
