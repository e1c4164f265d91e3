//! The reference interpreter against goldens that another implementation made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::golden::{self, Activations, Greedy, Logits, Perplexity};
use common::models;
use kinglet::backend::reference::Reference;
use kinglet::graph::Graph;
use std::path::Path;

const THREADS: usize = 2;
const CHUNK: usize = 64;

fn reference(path: &Path) -> (Graph, Reference) {
    let (graph, weights) = models::open(path);
    (graph.clone(), Reference::prepare(graph, weights, THREADS, CHUNK).unwrap())
}

fn tiny(folder: &str) {
    let models = golden::tiny(folder);
    assert!(!models.is_empty());
    for model in models {
        let (graph, mut program) = reference(&models::data(&format!("{folder}/{}", model.file)));
        let tolerance = if model.arch == "gemma3" { 0.01 } else { 1e-3 };
        model.logits(&mut program, tolerance).within(&model.file, tolerance);
        if let Some(worst) = model.residuals(&mut program, &graph) {
            worst.within(&format!("{} residuals", model.file), 1e-3);
        }
        let steps = model.greedy(&mut program, 0.01);
        assert!(folder == "tiny" || steps > 0, "{}: no greedy step compared", model.file);
    }
}

#[test]
fn tiny_models() {
    tiny("tiny");
}

#[test]
fn tiny_extra_models() {
    tiny("tiny_extra");
}

/// Everything about one real model; `logits` is its tolerance.
fn real(name: &str, path: &Path, logits: f64) {
    let (graph, mut program) = reference(path);
    let file = |kind: &str| format!("{name}/{kind}.json");

    let goldens: Logits = golden::read(&file("logits"));
    goldens.check(&mut program).within(&format!("{name} logits"), logits);

    let goldens: Greedy = golden::read(&file("greedy"));
    let (steps, worst) = goldens.check(&mut program, 0.01);
    println!("{name} greedy: {steps} steps");
    worst.within(&format!("{name} greedy logits"), logits);

    let goldens: Activations = golden::read(&file("activations"));
    goldens.check(&mut program, &graph, true).within(&format!("{name} activations"), 1e-3);

    let goldens: Perplexity = golden::read(&file("perplexity"));
    goldens.check(&mut program, usize::MAX).within(&format!("{name} mean nll"), 5e-4);
}

#[test]
fn smollm2() {
    real("smollm2-135m", &models::smollm2(), 2e-3);
}

#[test]
fn gemma3() {
    real("gemma3-270m", &models::gemma3(), 0.02);
}
