//! Comparing devices node by node: no false alarm where there is nothing, and every bad driver is found, named and told
//! apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::models::{self, data};
use common::tiers::tiers;
use common::{everything, golden};
use kinglet::backend::Cancel;
use kinglet::backend::bad::{Bad, Inject, Kind};
use kinglet::backend::gpu::Tier;
use kinglet::graph::{Graph, NodeId, Stored};
use kinglet::precision::{Activations, KvType};
use kinglet::trace::{
    Class, F16_MAX, FUSED_TOKENS, Mode, Options, Report, Setup, Side, Verdict, Which, activations, diverge, let_go,
    plan,
};
use kinglet::{Diagnose, Engine, Error, GpuOptions};
use std::path::Path;
use std::time::Duration;

const IDS: [u32; 9] = [1, 7, 50, 3, 111, 20, 5, 90, 14];

fn setup(activations: Activations, chunk: usize) -> Setup {
    Setup { threads: 2, chunk, activations, kv: KvType::F16, adapter: None, tier: None, deny: Vec::new(), fused: false }
}

fn options(setup: &Setup, a: Which, b: Which) -> Options {
    Options {
        mode: Mode::Isolated,
        all: false,
        tokens: 4,
        repeats: 3,
        chunk: setup.chunk,
        fused: if setup.fused { FUSED_TOKENS } else { 0 },
        activations: (setup.activations_of(a), setup.activations_of(b)),
        kv: (setup.kv_of(a), setup.kv_of(b)),
        with_inputs: false,
        until: None,
    }
}

/// Compares them on these ids, one after the other as a user does.
fn compare(
    path: &Path,
    ids: &[u32],
    setup: &Setup,
    (a, b): (Which, Which),
    options: &Options,
    inject: Option<&Inject>,
) -> Report {
    let (graph, weights) = models::open(path);
    let go = Cancel::default();
    let first = setup.prepare(a, graph.clone(), weights.clone()).unwrap();
    let side = Side::of(first.device(), options.activations.0, options.kv.0);
    let (folder, size) = (std::env::temp_dir(), (setup.chunk, options.tokens));
    let mut first = let_go(first, &folder, &graph, &weights, &side, ids, size, &go).unwrap();
    let mut second = match options.mode {
        Mode::Isolated => setup.prepare_alone(b, graph.clone(), weights).unwrap(),
        Mode::Drift => setup.prepare(b, graph.clone(), weights).unwrap(),
    };
    if let Some(inject) = inject {
        second = Box::new(Bad::new(second, graph.clone(), inject.clone(), setup.chunk).unwrap());
    }
    diverge(&graph, &mut first, second.as_mut(), ids, options, &mut |_, _| {}, &go).unwrap()
}

fn is_clean(report: &Report, what: &str) {
    let first = report.first_bad.as_ref();
    assert_eq!(report.verdict, Verdict::Same, "{what}: {first:?} {:?}", report.tokens);
    assert!(report.tokens.a.len() == 4 && report.nodes.len() > 10, "{what}");
}

#[test]
fn devices_that_are_right_raise_no_alarm() {
    let mut fused = 0;
    for (i, model) in golden::tiny("tiny").into_iter().enumerate() {
        let path = data(&format!("tiny/{}", model.file));
        let tiers = tiers();
        let tier = Some(tiers[i % tiers.len()]);
        // Several chunks, the last one shorter.
        let setup = Setup { tier, ..setup(Activations::Int16, 4) };
        for (a, b) in [(Which::Reference, Which::Cpu), (Which::Reference, Which::Gpu), (Which::Cpu, Which::Gpu)] {
            // The pair that users compare in both modes, the others in turns.
            let (both, modes) = ((a, b) == (Which::Cpu, Which::Gpu), [Mode::Isolated, Mode::Drift]);
            for mode in if both { &modes[..] } else { &modes[i % 2..=i % 2] } {
                let mode = *mode;
                // Fused kernels round what the CPU rounds, and the reference does not.
                let setup = Setup { fused: both, ..setup.clone() };
                let options = Options { mode, ..options(&setup, a, b) };
                let report = compare(&path, &IDS, &setup, (a, b), &options, None);
                let what = format!("{} {a:?} {b:?} {mode:?} {tier:?}", model.file);
                is_clean(&report, &what);
                fused += report.nodes.iter().filter(|node| node.fused).count();
            }
        }
    }
    assert!(fused > 100, "{fused} values of fused kernels");
}

#[test]
fn real_models_raise_no_alarm() {
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        // Text: on a row of random ids, 8 bits are far from anything.
        let goldens: golden::Greedy = golden::read(&format!("{name}/greedy.json"));
        let ids = goldens.runs.iter().map(|run| run.prompt_ids.as_slice()).min_by_key(|ids| ids.len()).unwrap();
        for activations in [Activations::Int16, Activations::Int8] {
            let setup = Setup { fused: true, ..setup(activations, 16) };
            for (a, b) in [(Which::Cpu, Which::Gpu), (Which::Reference, Which::Cpu)] {
                // 8 bits are far from f32.
                if activations == Activations::Int8 && a == Which::Reference {
                    continue;
                }
                let report = compare(&path, ids, &setup, (a, b), &options(&setup, a, b), None);
                is_clean(&report, &format!("{} {a:?} {b:?} {activations:?}", path.display()));
            }
        }
    }
}

/// What each bad driver may be taken for: by what it does to numbers of this size.
fn classes(kind: Kind, overflows: bool) -> &'static [Class] {
    match kind {
        Kind::F16Residual | Kind::F16Accumulate if overflows => &[Class::Overflow],
        Kind::F16Residual | Kind::F16Accumulate => &[Class::Precision],
        Kind::Zeros => &[Class::Zeros],
        Kind::Tile => &[Class::Tile],
        Kind::Flaky | Kind::Stale => &[Class::Nondeterministic],
        Kind::FromIndex => &[Class::Limit],
        Kind::Subgroup32 => &[Class::Subgroup],
        Kind::Lost => &[Class::Lost],
        Kind::Refused => &[Class::Refused],
        Kind::Slow => &[Class::Slow],
    }
}

/// Every kind at these nodes: named exactly; returns how many there were, and how many were of the right class.
fn injected(path: &Path, b: Which, nodes: &[&str]) -> (usize, usize) {
    let (graph, _) = models::open(path);
    let (mut all, mut right) = (0, 0);
    for node in nodes {
        for (name, kind) in Kind::ALL {
            // Flaky one time in two, so that three runs with another outcome each would be the exception.
            let probability = if kind == Kind::Flaky { 0.5 } else { 1.0 };
            let inject = Inject { kind, node: (*node).into(), probability, fused: false };
            let setup = setup(Activations::Int16, 16);
            let options =
                Options { repeats: if kind == Kind::Flaky { 12 } else { 2 }, ..options(&setup, Which::Cpu, b) };
            let report = compare(path, &IDS, &setup, (Which::Cpu, b), &options, Some(&inject));
            let what = format!("{} {name}@{node}", path.display());
            assert_eq!(report.verdict, Verdict::Broken, "{what}");
            let bad = report.first_bad.expect(&what);
            assert_eq!(bad.node, *node, "{what}: {bad:?}");
            let overflows = bad.max_a > 65_504.0;
            let ok = bad.class.is_some_and(|class| classes(kind, overflows).contains(&class));
            if !ok {
                println!("{what}: taken for {:?}", bad.class);
            }
            all += 1;
            right += usize::from(ok);
            assert!(graph.find(&bad.node).is_some());
        }
    }
    (all, right)
}

/// A node of each operation that has a value, in the middle of the model.
fn each_operation(graph: &Graph) -> Vec<String> {
    let mut nodes: Vec<(&str, &str)> = Vec::new();
    for node in graph.nodes.iter().skip(graph.nodes.len() / 3) {
        if node.width > 0 && nodes.iter().all(|(op, _)| *op != node.op.name()) {
            nodes.push((node.op.name(), &node.name));
        }
    }
    nodes.into_iter().map(|(_, name)| name.to_owned()).collect()
}

#[test]
fn every_bad_driver_is_found_and_told_apart() {
    let (mut all, mut right) = (0, 0);
    for model in ["tiny/tiny-gemma3-q8_0.gguf", "tiny/tiny-llama-q4_0.gguf"] {
        let path = data(model);
        let (graph, _) = models::open(&path);
        let nodes = each_operation(&graph);
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        for b in [Which::Cpu, Which::Gpu] {
            // The GPU's drivers are the slower ones to try.
            let nodes = if b == Which::Gpu && !everything() { &nodes[..2] } else { &nodes[..] };
            let (a, r) = injected(&path, b, nodes);
            (all, right) = (all + a, right + r);
        }
    }
    println!("{right} of {all} of the right class");
    assert!(right * 100 >= all * 95, "{right} of {all}");
}

/// What is wrong in a fused kernel alone, while the plain ones are right.
#[test]
fn a_bad_fused_kernel_is_found() {
    let path = data("tiny/tiny-gemma3-q8_0.gguf");
    let (graph, weights) = models::open(&path);
    let setup = Setup { fused: true, ..setup(Activations::Int16, 4) };
    let gpu = setup.prepare_alone(Which::Gpu, graph.clone(), weights).unwrap();
    // Of each call of a layer one value, and the head.
    let written = (0..graph.nodes.len()).map(NodeId).filter(|id| gpu.fused(*id).is_some());
    let written: Vec<&str> = written.map(|id| graph.node(id).name.as_str()).collect();
    drop(gpu);
    let nodes: Vec<&str> = written.iter().copied().filter(|name| name.starts_with("blk.1.")).collect();
    println!("{nodes:?}, {}", written[written.len() - 1]);
    assert!(nodes.len() >= 6, "{written:?}");
    let kinds = [("zeros", Class::Zeros), ("stale", Class::Nondeterministic), ("flaky", Class::Nondeterministic)];
    for (i, node) in nodes.iter().chain(written.last()).enumerate() {
        let (kind, class) = kinds[i % kinds.len()];
        let probability = if kind == "flaky" { 0.5 } else { 1.0 };
        let inject: Inject = format!("{kind}@{node}/fused:{probability}").parse().unwrap();
        let options = Options {
            repeats: if kind == "flaky" { 12 } else { 2 },
            with_inputs: true,
            ..options(&setup, Which::Cpu, Which::Gpu)
        };
        let report = compare(&path, &IDS, &setup, (Which::Cpu, Which::Gpu), &options, Some(&inject));
        let bad = report.first_bad.as_ref().unwrap_or_else(|| panic!("{inject}: not found"));
        assert_eq!((bad.node.as_str(), bad.fused, bad.class), (*node, true, Some(class)), "{inject}");
        // A replay can have what the plain kernel takes, the cache of tokens that were not compared among it.
        assert_eq!(report.replay.as_ref().map(|replay| replay.node.as_str()), Some(*node), "{inject}");
        let kernel = bad.kernel.as_ref().unwrap();
        assert!(
            kernel.contains("stage_") && report.kernels.contains_key(kernel.split(" + ").next().unwrap()),
            "{kernel}"
        );
        assert!(report.nodes.iter().filter(|node| !node.fused).all(|node| !node.broken), "{inject}");
    }
}

#[test]
fn bad_drivers_under_real_models_are_found() {
    // The residual of Gemma 3 270M exceeds f16.
    let nodes = ["blk.5.ffn_down", "blk.9.l_out", "blk.12.attn_q_rope"];
    let (mut all, mut right) = (0, 0);
    for path in [models::smollm2(), models::gemma3()] {
        for b in if everything() { vec![Which::Cpu, Which::Gpu] } else { vec![Which::Cpu] } {
            let (a, r) = injected(&path, b, if everything() { &nodes } else { &nodes[1..2] });
            (all, right) = (all + a, right + r);
        }
    }
    println!("{right} of {all} of the right class");
    assert!(right * 100 >= all * 95, "{right} of {all}");
}

/// Gemma 3 270M's residual stream exceeds f16; the plan keeps it in f32, and a device would refuse another one.
#[test]
fn what_exceeds_f16_stays_f32() {
    let path = models::gemma3();
    let (graph, weights) = models::open(&path);
    let goldens: golden::Greedy = golden::read("gemma3-270m/greedy.json");
    let ids = &goldens.runs.iter().max_by_key(|run| run.prompt_ids.len()).unwrap().prompt_ids[..64];
    let setup = setup(Activations::Int16, 64);
    let mut program = setup.prepare(Which::Cpu, graph.clone(), weights).unwrap();
    let found = activations(&graph, program.as_mut(), ids, 64, &Cancel::default()).unwrap();
    assert_eq!(found.len(), graph.nodes.iter().filter(|node| node.width > 0).count());
    let over: Vec<_> = found.iter().filter(|node| node.max_abs > F16_MAX).collect();
    assert!(over.iter().any(|node| node.node.ends_with(".l_out")), "{over:?}");
    assert!(over.iter().all(|node| node.stored == "f32" && node.over_f16 > 0 && node.why.is_some()), "{over:?}");
    let f16 = found.iter().filter(|node| node.stored == "f16").count();
    println!("{} of {} exceed f16, {f16} may be stored in it", over.len(), found.len());
    assert!(f16 > 20);
    let allowed = plan(&found);
    allowed.check(&graph).unwrap();
    assert!(allowed.allow(&over[0].node, Stored::F16).check(&graph).is_err());

    // What comes after an infinity is not a number, which is never small.
    let inject = Inject { kind: Kind::F16Residual, node: "blk.9.l_out".into(), probability: 1.0, fused: false };
    let mut bad = Bad::new(program, graph.clone(), inject, setup.chunk).unwrap();
    let found = activations(&graph, &mut bad, ids, 64, &Cancel::default()).unwrap();
    let value = found.iter().find(|node| node.node == "blk.12.attn_v").unwrap();
    assert!(value.over_f16 > 0 && value.stored == "f32" && value.why.is_some(), "{value:?}");
}

/// A kernel that is wrong with probability p passes n runs with (1 - p)^n, so that share of 200 comparisons misses it.
#[test]
fn what_is_wrong_now_and_then_is_found_as_often_as_computed() {
    const RUNS: usize = 200;
    let path = data("tiny/tiny-llama-q4_0.gguf");
    let (graph, weights) = models::open(&path);
    let setup = Setup { threads: 1, ..setup(Activations::Int16, 4) };
    for (probability, repeats) in [(0.25, 3), (0.25, 16), (0.01, 100)] {
        let inject = Inject { kind: Kind::Flaky, node: "blk.0.attn_norm".into(), probability, fused: false };
        let mut a = setup.prepare(Which::Cpu, graph.clone(), weights.clone()).unwrap();
        let b = setup.prepare(Which::Cpu, graph.clone(), weights.clone()).unwrap();
        let mut b = Bad::new(b, graph.clone(), inject, setup.chunk).unwrap();
        let options = Options { tokens: 0, repeats, ..options(&setup, Which::Cpu, Which::Cpu) };
        let mut found = 0;
        for _ in 0..RUNS {
            let go = Cancel::default();
            let report = diverge(&graph, a.as_mut(), &mut b, &IDS[..4], &options, &mut |_, _| {}, &go).unwrap();
            found += usize::from(report.verdict == Verdict::Broken);
            assert!(report.first_bad.is_none_or(|bad| bad.node == "blk.0.attn_norm"));
        }
        let expected = 1.0 - (1.0f64 - probability).powi(repeats as i32);
        let share = found as f64 / RUNS as f64;
        println!(
            "wrong with {probability}, {repeats} runs: found in {share:.3} of comparisons, computed {expected:.3}"
        );
        // Four standard deviations, and one comparison.
        let deviation = (expected * (1.0 - expected) / RUNS as f64).sqrt();
        assert!((share - expected).abs() <= 4.0 * deviation + 1.0 / RUNS as f64, "{share} {expected}");
    }
}

/// In one call, for an app: no text, no ids unless asked, and no longer than it may take.
#[test]
fn an_app_learns_which_operation_is_wrong() {
    let path = data("tiny/tiny-llama-q4_0.gguf");
    let gpu = GpuOptions { inject: Some("zeros@blk.1.ffn_up".parse().unwrap()), ..GpuOptions::default() };
    let options = kinglet::Options { prefill_chunk: 4, gpu, ..kinglet::Options::default() };
    let ask = |options: &kinglet::Options, wanted: &Diagnose| {
        let mut steps = 0;
        let report =
            Engine::diagnose(&path, options, "the ending", wanted, &mut |_, _| steps += 1, &Cancel::default()).unwrap();
        (report, steps)
    };
    let (found, steps) = ask(&options, &Diagnose::default());
    let first = found.report.first_bad.as_ref().unwrap();
    assert_eq!((first.node.as_str(), first.class), ("blk.1.ffn_up", Some(Class::Zeros)));
    assert!(steps > 10 && found.report.whole && found.report.b.detail.contains("tier"), "{:?}", found.report.b);
    assert_eq!(found.model_sha256.len(), 64);

    // All of it, with the continuations: still nothing that says what the text was.
    let all = Diagnose { all: true, ..Diagnose::default() };
    let (found, _) = ask(&options, &all);
    assert!(found.prompt_ids.is_none() && found.report.tokens.a.is_empty() && found.report.tokens.b.is_empty());
    assert!(!found.report.tokens.top_a.is_empty());
    let (told, _) = ask(&options, &Diagnose { with_ids: true, ..all.clone() });
    assert!(told.prompt_ids.unwrap().len() > 2 && told.report.tokens.a.len() == all.tokens);
    let (short, _) = ask(&options, &Diagnose { with_ids: true, prompt_tokens: 2, ..all.clone() });
    assert_eq!(short.prompt_ids.unwrap().len(), 2);

    let clean = kinglet::Options { gpu: GpuOptions::default(), ..options.clone() };
    let (found, _) = ask(&clean, &all);
    assert!(found.report.verdict == Verdict::Same && found.report.nodes.len() > 20, "{:?}", found.report.first_bad);

    // A denied kernel is another one; a fused one is known, though no comparison runs it.
    let deny = ["matmul", "stage"].map(String::from).to_vec();
    let gpu = GpuOptions { deny, tier: Some(Tier::Dot), ..options.gpu.clone() };
    let (found, _) = ask(&kinglet::Options { gpu, ..options }, &Diagnose::default());
    assert_eq!(found.report.verdict, Verdict::Same, "{:?}", found.report.first_bad);

    // No time at all, some time, and nobody who still wants it.
    let (found, steps) = ask(&clean, &Diagnose { within: Duration::ZERO, ..all.clone() });
    assert_eq!((found.report.whole, found.report.nodes.len(), steps), (false, 0, 0));
    let cancel = Cancel::default();
    let mut steps = 0;
    let mut progress = |_, _| {
        steps += 1;
        cancel.cancel();
    };
    let cancelled = Engine::diagnose(&path, &clean, "the ending", &all, &mut progress, &cancel);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    assert_eq!(steps, 1);
}
