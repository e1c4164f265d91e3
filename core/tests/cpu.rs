//! The CPU backend against goldens that another implementation made, and against itself: threads, chunks, schedules
//! and instruction sets must not change a bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::everything;
use common::golden::{self, Activations as NodeGoldens, Greedy, Logits, Perplexity};
use common::models;
use kinglet::backend::cpu::{Cpu, Isa, Options};
use kinglet::backend::{Best, Cancel, Program, Want};
use kinglet::precision::{Activations, KvType};
use kinglet::schedule::Keep;
use std::path::Path;

/// Two threads, 16-bit activations, nothing kept.
fn options() -> Options {
    Options {
        threads: 2,
        chunk: 64,
        activations: Activations::Int16,
        kv: KvType::F16,
        plain: false,
        keep: Keep::Logits,
        isa: Isa::best(),
    }
}

fn cpu(path: &Path, options: Options) -> Cpu {
    let (graph, weights) = models::open(path);
    Cpu::prepare(graph, weights, options, &mut |_, _| Ok(())).unwrap()
}

fn tiny(folder: &str, activations: Activations, tolerance: f64) {
    let models = golden::tiny(folder);
    assert!(!models.is_empty());
    for model in models {
        // Keys and values of random models are large; f32 keeps their rounding out of the comparison.
        let options = Options { activations, kv: KvType::F32, ..options() };
        let mut program = cpu(&models::data(&format!("{folder}/{}", model.file)), options);
        model.logits(&mut program, tolerance).within(&model.file, tolerance);
    }
}

#[test]
fn tiny_models() {
    tiny("tiny", Activations::Int16, 0.02);
    tiny("tiny_extra", Activations::Int16, 0.02);
}

/// The peer's own 8-bit activations are off by up to 1.6 in these models.
#[test]
fn tiny_models_with_8_bit_activations() {
    tiny("tiny", Activations::Int8, 1.6);
    tiny("tiny_extra", Activations::Int8, 1.6);
}

/// Everything about one real model.
fn real(name: &str, path: &Path, activations: Activations, logits: f64, margin: f32, nll: f64) {
    let mut program = cpu(path, Options { activations, ..options() });
    let file = |kind: &str| format!("{name}/{kind}.json");
    let goldens: Logits = golden::read(&file("logits"));
    // What 8 bits change shows in short prompts.
    let eight = activations == Activations::Int8 && !everything();
    let goldens = if eight { goldens.short(140) } else { goldens };
    goldens.check(&mut program).within(&format!("{name} logits"), logits);
    let goldens: Greedy = golden::read(&file("greedy"));
    let (steps, worst) = goldens.check(&mut program, margin);
    println!("{name} greedy: {steps} steps, logits off by at most {:.2e}", worst.difference);
    assert!(steps > 0);
    let goldens: Perplexity = golden::read(&file("perplexity"));
    let goldens = if everything() { goldens } else { goldens.short() };
    goldens.check(&mut program).within(&format!("{name} mean nll"), nll);
}

#[test]
fn smollm2() {
    real("smollm2-135m", &models::smollm2(), Activations::Int16, 0.05, 0.02, 5e-4);
}

#[test]
fn smollm2_with_8_bit_activations() {
    real("smollm2-135m", &models::smollm2(), Activations::Int8, 2.7, 0.45, 5e-3);
}

#[test]
fn gemma3() {
    real("gemma3-270m", &models::gemma3(), Activations::Int16, 0.05, 0.02, 5e-4);
}

#[test]
fn gemma3_with_8_bit_activations() {
    real("gemma3-270m", &models::gemma3(), Activations::Int8, 2.7, 0.45, 5e-3);
}

/// Each node of the fused schedule by its name.
#[test]
fn fused_nodes_meet_the_activation_goldens() {
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        let (graph, weights) = models::open(&path);
        let keep = Options { keep: Keep::All, ..options() };
        let mut program = Cpu::prepare(graph.clone(), weights, keep, &mut |_, _| Ok(())).unwrap();
        let goldens: NodeGoldens = golden::read(&format!("{name}/activations.json"));
        goldens.check(&mut program, &graph, true).within(&format!("{name} activations"), 5e-3);
    }
}

/// All logits of `ids`, fed `feed` at a time.
fn logits(path: &Path, options: Options, ids: &[u32], feed: usize) -> Vec<u32> {
    let mut program = cpu(path, options);
    let mut state = program.state(ids.len()).unwrap();
    let mut all = Vec::new();
    let mut rows = Vec::new();
    for ids in ids.chunks(feed) {
        program.run(state.as_mut(), ids, Want::All, &mut rows, &Cancel::default()).unwrap();
        all.extend(rows.iter().map(|x| x.to_bits()));
    }
    all
}

fn same_bits(path: &Path, ids: &[u32]) {
    let whole = logits(path, Options { threads: 1, chunk: ids.len(), ..options() }, ids, ids.len());
    for threads in [1, 2, 3] {
        for chunk in [1, 7, 64] {
            let other = logits(path, Options { threads, chunk, ..options() }, ids, ids.len());
            assert!(whole == other, "{} threads {threads} chunk {chunk}", path.display());
        }
    }
    let split = logits(path, options(), ids, 5);
    assert!(whole == split, "{} fed by fives", path.display());
    let plain = logits(path, Options { plain: true, ..options() }, ids, ids.len());
    assert!(whole == plain, "{} plain schedule", path.display());
    for isa in Isa::available() {
        let other = logits(path, Options { isa, ..options() }, ids, ids.len());
        assert!(whole == other, "{} on {}", path.display(), isa.name());
    }
}

#[test]
fn threads_chunks_schedules_and_instruction_sets_give_the_same_bits() {
    for folder in ["tiny", "tiny_extra"] {
        for model in golden::tiny(folder) {
            same_bits(&models::data(&format!("{folder}/{}", model.file)), &model.ids);
        }
    }
}

/// The same for the real models, whose heads are large enough to be read by halves.
#[test]
fn real_models_give_the_same_bits() {
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
        let ids: Vec<u32> = goldens.runs.iter().flat_map(|run| run.prompt_ids.iter().copied()).take(70).collect();
        let (first, last) = ids.split_at(ids.len() - 6);
        let run = |options: Options| -> Vec<u32> {
            let mut program = cpu(&path, options);
            let mut state = program.state(ids.len()).unwrap();
            let mut rows = Vec::new();
            program.run(state.as_mut(), first, Want::Nothing, &mut rows, &Cancel::default()).unwrap();
            program.run(state.as_mut(), last, Want::All, &mut rows, &Cancel::default()).unwrap();
            rows.iter().map(|x| x.to_bits()).collect()
        };
        let whole = run(Options { threads: 1, chunk: ids.len(), ..options() });
        for threads in [1, 2, 3] {
            for chunk in [1, 7, 64] {
                assert!(
                    whole == run(Options { threads, chunk, ..options() }),
                    "{name} threads {threads} chunk {chunk}"
                );
            }
        }
        assert!(whole == run(Options { plain: true, ..options() }), "{name} plain schedule");
    }
}

/// What a head that is read by halves leaves out is never among the greatest, and what it gives has the same bits.
#[test]
fn the_best_logits_are_those_of_the_whole_head() {
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        let mut program = cpu(&path, options());
        let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
        let (mut positions, mut left_out) = (0, 0);
        for run in &goldens.runs {
            let mut state = program.state(run.prompt_ids.len() + run.ids.len()).unwrap();
            let (mut all, mut best) = (Vec::new(), Vec::new());
            program.run(state.as_mut(), &run.prompt_ids, Want::Nothing, &mut all, &Cancel::default()).unwrap();
            for (i, id) in run.ids.iter().enumerate() {
                // Every twelfth position tells enough.
                let settings = [(1, 1.0, 0.0), (8, 1.0, 0.0), (1, 1.05, 0.0), (1, 1.1, 0.5)];
                for (wanted, penalty, less) in settings.into_iter().filter(|_| everything() || i % 12 == 0) {
                    let want = Best { count: wanted, penalty, less };
                    let mut fork = state.fork().unwrap();
                    program.run(fork.as_mut(), &[*id], Want::Best(want), &mut best, &Cancel::default()).unwrap();
                    let mut again = state.fork().unwrap();
                    program.run(again.as_mut(), &[*id], Want::Last, &mut all, &Cancel::default()).unwrap();
                    assert_eq!(best.len(), all.len());
                    let mut least: Vec<f32> = all.clone();
                    least.sort_unstable_by(|a, b| b.total_cmp(a));
                    for (best, all) in best.iter().zip(&all) {
                        let same = best.to_bits() == all.to_bits();
                        let floor = want.floor(least[wanted - 1]);
                        assert!(same || *best == f32::NEG_INFINITY && *all < floor, "{name} {want:?}");
                        left_out += usize::from(!same);
                    }
                }
                program.run(state.as_mut(), &[*id], Want::Nothing, &mut all, &Cancel::default()).unwrap();
                positions += usize::from(everything() || i % 12 == 0);
            }
        }
        println!("{name}: {positions} positions, {} logits of each left out", left_out / positions / 4);
        assert!(positions >= 30 && left_out > 0);
    }
}
