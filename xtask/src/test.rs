//! Everything that CI checks, in order; the first failure stops.

use crate::android::Extent;
use crate::model::{GEMMA3, Licence, SMOLLM2};
use crate::steps::{Line, Steps};
use crate::{android, bindings, cross, deny, ios, model};
use anyhow::{Result, ensure};
use std::cell::Cell;

/// Runs the steps; `quick` leaves out the models, the tests that need them, and aarch64.
pub fn run(quick: bool) -> Result<()> {
    let mut steps = Steps::new();
    steps.line("format", &Line::new("cargo fmt --all --check"))?;
    steps.line("lint", &Line::new("cargo clippy --workspace --all-targets --locked -- -D warnings"))?;
    steps.step("dependencies", "cargo xtask deny", deny::run)?;
    // With the examples, dependencies have the features of tests, which the step before has checked them with already.
    let docs = Line::new("cargo doc --workspace --no-deps --locked --lib --bin xtask --examples");
    let docs = docs.env("RUSTDOCFLAGS", "-D warnings");
    steps.line("docs", &docs)?;
    if !quick {
        for model in [&SMOLLM2, &GEMMA3] {
            let name = format!("model {}", model.name);
            steps.step(&name, &format!("cargo xtask model {}", model.name), || {
                Ok(model::get(model, Licence::Ask)?.display().to_string())
            })?;
        }
    }

    let tests = Line::new(if quick {
        // Unit tests, and the integration tests that need no downloaded model.
        "cargo test --workspace --locked --lib --bins --test callers --test malformed --test malformed_model --test quant \
         --test dump --test gpu_corpus --test errors --test devices --test validate --test generate --test logits --test measure \
         --test texts --test tokens --test streams --test lifecycle --test hostile"
    } else {
        "cargo test --workspace --locked"
    });
    let counted = Cell::default();
    steps.step("tests", &tests.to_string(), || {
        let counts = tests.test()?;
        ensure!(counts.passed > 0, "no tests were run");
        counted.set(counts);
        Ok(counts.to_string())
    })?;
    steps.step(
        "python bindings",
        "cargo xtask bindings, then PYTHONPATH=target/bindings/python python3 bindings/tests/python/test_kinglet.py",
        || bindings::test(quick).map(|counts| counts.to_string()),
    )?;
    let extent = Extent { release: false, everything: !quick, fix: false };
    steps.step("android", "cargo xtask android", || android::run(extent))?;
    let extent = ios::Extent { everything: !quick, fix: false };
    steps.step("ios", "cargo xtask ios", || ios::run(extent))?;

    if quick {
        steps.remark(
            "quick: tests of the real models and of aarch64, and Android's native library, were left out".into(),
        );
    } else {
        steps.step("aarch64", "cargo xtask cross", cross::run)?;
    }
    steps.close(&format!("tests: {}", counted.get()));
    Ok(())
}
