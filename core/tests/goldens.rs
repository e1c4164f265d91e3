//! The reference interpreter against goldens that another implementation made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::everything;
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

const SMOLLM2: &str = "smollm2-135m";
const GEMMA3: &str = "gemma3-270m";

#[test]
fn smollm2_logits() {
    logits(SMOLLM2, &models::smollm2(), 2e-3);
}

#[test]
fn gemma3_logits() {
    logits(GEMMA3, &models::gemma3(), 0.02);
}

/// Prompts, inner positions, the golden greedy paths, and perplexity.
fn logits(name: &str, path: &Path, tolerance: f64) {
    let (_, mut program) = reference(path);
    let goldens: Logits = golden::read(&format!("{name}/logits.json"));
    let goldens = if everything() { goldens } else { goldens.short(110) };
    goldens.check(&mut program).within(&format!("{name} logits"), tolerance);
    let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
    let goldens = if everything() { goldens } else { goldens.short(50) };
    let (steps, worst) = goldens.check(&mut program, 0.01);
    worst.within(&format!("{name} greedy logits, {steps} steps"), tolerance);
    if everything() {
        let goldens: Perplexity = golden::read(&format!("{name}/perplexity.json"));
        goldens.check(&mut program).within(&format!("{name} mean nll"), 5e-4);
    }
}

#[test]
fn smollm2_activations() {
    activations(SMOLLM2, &models::smollm2());
}

#[test]
fn gemma3_activations() {
    activations(GEMMA3, &models::gemma3());
}

fn activations(name: &str, path: &Path) {
    let (graph, mut program) = reference(path);
    let goldens: Activations = golden::read(&format!("{name}/activations.json"));
    goldens.check(&mut program, &graph, true).within(&format!("{name} activations"), 1e-3);
}
