//! The GPU backend against goldens that another implementation made, on every tier; and against itself: tiers,
//! schedules and the size of chunks.
//!
//! Without an adapter these tests fail: install Mesa's software Vulkan (Debian: `mesa-vulkan-drivers`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::everything;
use common::golden::{self, Activations as NodeGoldens, Greedy, Logits, Perplexity};
use common::models;
use common::tiers::tiers;
use kinglet::Error;
use kinglet::backend::gpu::{Gpu, Options, Tier};
use kinglet::backend::{Best, Cancel, Program, Want};
use kinglet::graph::{PrecisionPlan, Stored};
use kinglet::precision::{Activations, KvType};
use kinglet::schedule::Keep;
use std::path::Path;
use std::sync::atomic::Ordering;

/// 16-bit activations, nothing kept.
fn options() -> Options {
    Options {
        adapter: None,
        tier: tiers().last().copied(),
        threads: 2,
        chunk: 64,
        activations: Activations::Int16,
        kv: KvType::F16,
        plain: false,
        keep: Keep::Logits,
        deny: Vec::new(),
        precision: PrecisionPlan::default(),
        cache: None,
        lose_after: None,
    }
}

fn gpu(path: &Path, options: Options) -> Gpu {
    let (graph, weights) = models::open(path);
    Gpu::prepare(graph, weights, options, &mut |_, _| Ok(())).unwrap()
}

/// Tiers take turns from model to model, or each model has all: to compile the kernels takes longer than to run them.
#[test]
fn tiny_models() {
    let all = tiers();
    for folder in ["tiny", "tiny_extra"] {
        for (i, model) in golden::tiny(folder).into_iter().enumerate() {
            for tier in if everything() { &all } else { &all[i % all.len()..][..1] } {
                let options = Options { tier: Some(*tier), kv: KvType::F32, ..options() };
                let mut program = gpu(&models::data(&format!("{folder}/{}", model.file)), options);
                model.logits(&mut program, 0.02).within(&format!("{} {tier}", model.file), 0.02);
            }
        }
    }
}

/// Dispatches of one token.
fn dispatches(program: &mut Gpu) -> usize {
    let mut state = program.state(1).unwrap();
    program.profile(state.as_mut(), &[1], &Cancel::default()).unwrap().unwrap().dispatches
}

/// Fused calls give every bit that plain ones do, in every packed format and mix of formats, and are fewer. Tiers and
/// activations take turns from model to model, or each model has all.
#[test]
fn fused_calls_give_the_bits_of_plain_ones() {
    let activations = [Activations::Int16, Activations::Int8];
    let choices: Vec<_> =
        activations.into_iter().flat_map(|a| tiers().into_iter().map(move |tier| (tier, a))).collect();
    let paths = ["tiny", "tiny_extra"].into_iter().flat_map(|folder| {
        let file = move |model: golden::Tiny| (models::data(&format!("{folder}/{}", model.file)), model);
        golden::tiny(folder).into_iter().map(file)
    });
    let mut fused_models = 0;
    for (i, (path, model)) in paths.enumerate() {
        for (tier, activations) in if everything() { &choices } else { &choices[i % choices.len()..][..1] } {
            let options = Options { tier: Some(*tier), activations: *activations, ..options() };
            let mut plain = gpu(&path, Options { plain: true, ..options.clone() });
            let mut fused = gpu(&path, options);
            let bits = |program: &mut Gpu| rows(program, &model.ids).into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert!(bits(&mut plain) == bits(&mut fused), "{} {tier} {activations:?}", model.file);
            let (plain, fused) = (dispatches(&mut plain), dispatches(&mut fused));
            // Matrices of plain floats have no fused kernels.
            let floats = ["f32", "f16", "bf16"].iter().any(|kind| model.file.ends_with(&format!("-{kind}.gguf")));
            assert_eq!(fused < plain, !floats, "{}: {fused} of {plain} dispatches", model.file);
            fused_models += usize::from(!floats);
        }
    }
    assert!(fused_models > 0);
}

/// A denied kernel is replaced alone, and the numbers stay what they are.
#[test]
fn something_plainer_runs_for_a_denied_kernel() {
    let path = models::data("tiny/tiny-gemma3-q8_0.gguf");
    let ids = [1, 7, 50, 3, 111, 20, 5, 90, 14];
    let tier = tiers().last().copied();
    let deny =
        |names: &[&str], tier| Options { deny: names.iter().map(ToString::to_string).collect(), tier, ..options() };
    let mut whole = gpu(&path, deny(&[], tier));
    let (right, fused) = (rows(&mut whole, &ids), dispatches(&mut whole));
    for names in
        [&["stage"][..], &["stage_heads", "rope"], &["matmul_tile"], &["attend", "rms_norm"], &["best_sharpen"], &[""]]
    {
        let mut program = gpu(&path, deny(names, tier));
        assert!(rows(&mut program, &ids) == right, "{names:?}");
        // A denied fused kernel takes the plain calls, of which there are more.
        let plain = names.iter().any(|name| name.is_empty() || name.starts_with("stage"));
        assert_eq!(dispatches(&mut program) > fused, plain, "{names:?}");
    }
    let refused = |options| {
        let (graph, weights) = models::open(&path);
        Gpu::prepare(graph, weights, options, &mut |_, _| Ok(())).err().unwrap()
    };
    let error = refused(deny(&["no_such"], tier));
    assert!(matches!(&error, Error::Option { what, .. } if what.contains("matmul_vector_low")), "{error}");
    let error = refused(deny(&["attend"], Some(Tier::Plain)));
    assert!(matches!(&error, Error::Gpu { what, .. } if what.contains("attend_f16")), "{error}");
}

/// One real model on one tier: short prompts, or everything.
fn real(name: &str, path: &Path, options: Options, logits: f64, margin: f32, nll: f64) {
    let what = format!("{name} {} {:?}", options.tier.unwrap(), options.activations);
    // What 8 bits change shows in the shortest prompts.
    let short = if options.activations == Activations::Int8 { 40 } else { 100 };
    let mut program = gpu(path, options);
    let file = |kind: &str| format!("{name}/{kind}.json");
    let goldens: Logits = golden::read(&file("logits"));
    let goldens = if everything() { goldens } else { goldens.short(short) };
    goldens.check(&mut program).within(&format!("{what} logits"), logits);
    let goldens: Greedy = golden::read(&file("greedy"));
    let goldens = if everything() { goldens } else { goldens.short(16) };
    let (steps, worst) = goldens.check(&mut program, margin);
    println!("{what} greedy: {steps} steps, logits off by at most {:.2e}", worst.difference);
    assert!(steps > 0);
    if !everything() {
        return;
    }
    let goldens: Perplexity = golden::read(&file("perplexity"));
    goldens.check(&mut program).within(&format!("{what} mean nll"), nll);
}

/// The tiers and schedules that are checked whole; the others must agree with them.
fn each(test: impl Fn(Options)) {
    if !everything() {
        return test(options());
    }
    for tier in tiers() {
        for plain in [false, true] {
            test(Options { tier: Some(tier), plain, ..options() });
        }
    }
}

#[test]
fn smollm2() {
    each(|options| {
        let eight = Options { activations: Activations::Int8, ..options.clone() };
        real("smollm2-135m", &models::smollm2(), options, 0.05, 0.02, 5e-4);
        real("smollm2-135m", &models::smollm2(), eight, 2.7, 0.45, 5e-3);
    });
}

#[test]
fn gemma3() {
    each(|options| {
        let eight = Options { activations: Activations::Int8, ..options.clone() };
        real("gemma3-270m", &models::gemma3(), options, 0.05, 0.02, 5e-4);
        real("gemma3-270m", &models::gemma3(), eight, 2.7, 0.45, 5e-3);
    });
}

/// A prompt, then a token at a time: the last row of each run.
fn rows(program: &mut Gpu, ids: &[u32]) -> Vec<f32> {
    let mut state = program.state(ids.len()).unwrap();
    let (prompt, rest) = ids.split_at(ids.len() - 3);
    let (mut row, mut all) = (Vec::new(), Vec::new());
    for ids in std::iter::once(prompt).chain(rest.chunks(1)) {
        program.run(state.as_mut(), ids, Want::Last, &mut row, &Cancel::default()).unwrap();
        all.extend_from_slice(&row);
    }
    all
}

/// Every tier and schedule of one precision says the same, within the limits of phones.
#[test]
fn tiers_and_schedules_agree_within_the_limits_of_phones() {
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
        let ids = &goldens.runs[0].prompt_ids;
        let ids = &ids[..ids.len().min(if everything() { 24 } else { 8 })];
        for activations in [Activations::Int16, Activations::Int8] {
            let mut first: Option<Vec<f32>> = None;
            // Tiers differ in how bytes are multiplied and sums are made, which is the same for both.
            let tiers = if activations == Activations::Int16 || everything() { tiers() } else { vec![Tier::Dot] };
            for (tier, plain) in tiers.into_iter().flat_map(|tier| [(tier, false), (tier, true)]) {
                let options = Options { tier: Some(tier), plain, activations, ..options() };
                let mut program = gpu(&path, options);
                let rows = rows(&mut program, ids);
                let what = format!("{name} {activations:?} {tier} {}", if plain { "plain" } else { "fused" });
                let first = first.get_or_insert_with(|| rows.clone());
                let apart = first.iter().zip(&rows).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
                println!("{what}: {apart:.2e} from the first");
                assert!(apart <= 0.01, "{what}: {apart}");
                let mut state = program.state(64).unwrap();
                let profile = program.profile(state.as_mut(), &ids[..1], &Cancel::default()).unwrap().unwrap();
                println!("{what}: {} dispatches a token", profile.dispatches);
                assert!(plain || !name.starts_with("gemma3") || profile.dispatches <= 100, "{what}");
                assert!(profile.max_binding_bytes <= 128 << 20, "{what}: {} bytes", profile.max_binding_bytes);
                assert!(profile.max_storage_buffers <= 8, "{what}: {} buffers", profile.max_storage_buffers);
            }
        }
    }
}

/// What the device leaves out is never among the greatest, and what it gives has the bits of the whole head's.
fn best_logits(program: &mut Gpu, what: &str, ids: &[u32]) -> usize {
    let mut state = program.state(ids.len() + 1).unwrap();
    let (mut all, mut best, mut left_out) = (Vec::new(), Vec::new(), 0);
    let mut positions = vec![ids.len() - 3];
    positions.extend([1; 3]);
    let mut at = 0;
    for count in positions {
        let fed = &ids[at..at + count];
        for (wanted, penalty, less) in [(1, 1.0, 0.0), (8, 1.0, 0.0), (1, 1.1, 0.5)] {
            let want = Best { count: wanted, penalty, less };
            program.run(state.as_mut(), fed, Want::Best(want), &mut best, &Cancel::default()).unwrap();
            state.truncate(at).unwrap();
            program.run(state.as_mut(), fed, Want::Last, &mut all, &Cancel::default()).unwrap();
            state.truncate(at).unwrap();
            assert_eq!(best.len(), all.len());
            let mut least = all.clone();
            least.sort_unstable_by(|a, b| b.total_cmp(a));
            let floor = want.floor(least[wanted - 1]);
            for (best, all) in best.iter().zip(&all) {
                let same = best.to_bits() == all.to_bits();
                assert!(same || *best == f32::NEG_INFINITY && *all < floor, "{what} {want:?}: {best} for {all}");
                left_out += usize::from(!same);
            }
        }
        program.run(state.as_mut(), fed, Want::Nothing, &mut all, &Cancel::default()).unwrap();
        at += count;
    }
    left_out
}

#[test]
fn the_best_logits_are_those_of_the_whole_head() {
    for folder in ["tiny", "tiny_extra"] {
        for (i, model) in golden::tiny(folder).into_iter().enumerate() {
            let all = tiers();
            let options = Options { tier: Some(all[i % all.len()]), plain: i % 2 == 0, ..options() };
            let mut program = gpu(&models::data(&format!("{folder}/{}", model.file)), options);
            best_logits(&mut program, &model.file, &model.ids);
        }
    }
    for (name, path) in [("smollm2-135m", models::smollm2()), ("gemma3-270m", models::gemma3())] {
        let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
        let ids = &goldens.runs[0].prompt_ids;
        for tier in if everything() { tiers() } else { vec![Tier::Subgroup] } {
            let mut program = gpu(&path, Options { tier: Some(tier), ..options() });
            let left_out = best_logits(&mut program, name, &ids[..ids.len().min(12)]);
            println!("{name}: {left_out} left out in 12 runs");
            assert!(left_out > 0);
        }
    }
}

#[test]
fn a_cancelled_prompt_ends_within_a_submission() {
    let mut program = gpu(&models::smollm2(), options());
    let mut state = program.state(2000).unwrap();
    let ids: Vec<u32> = (0..2000).map(|i| i * 7 % 40_000).collect();
    let (count, cancel) = (program.submissions(), Cancel::default());
    let before = count.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while count.load(Ordering::SeqCst) < before + 20 {
                std::thread::yield_now();
            }
            cancel.cancel();
            count.load(Ordering::SeqCst)
        });
        let result = program.run(state.as_mut(), &ids, Want::Last, &mut Vec::new(), &cancel);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        let after = count.load(Ordering::SeqCst) - watch.join().unwrap();
        println!("{after} submissions after the cancel");
        assert!(after <= 1, "{after}");
    });
    assert_eq!(state.position() % 64, 0, "a whole chunk");
}

/// Gemma 3 270M's residual stream exceeds what f16 holds. Kept in f16 it is infinite, and a norm makes NaN of it; so a
/// plan that asks for that is refused.
#[test]
fn a_residual_beyond_f16_is_right_and_may_not_be_f16() {
    let path = models::gemma3();
    let (graph, weights) = models::open(&path);
    let keep = Options { keep: Keep::All, ..options() };
    let mut program = Gpu::prepare(graph.clone(), weights.clone(), keep.clone(), &mut |_, _| Ok(())).unwrap();
    let goldens: NodeGoldens = golden::read("gemma3-270m/activations.json");
    goldens.check(&mut program, &graph, false).within("gemma3-270m activations", 5e-3);

    let most = |x: &[f32]| x.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let residuals = graph.nodes.iter().filter(|node| node.name.ends_with(".l_out"));
    let widest = residuals
        .map(|node| (node.name.clone(), program.read(graph.find(&node.name).unwrap()).unwrap()))
        .max_by(|a, b| most(&a.1).total_cmp(&most(&b.1)))
        .unwrap();
    println!("{} reaches {}", widest.0, most(&widest.1));
    assert!(most(&widest.1) > 65_504.0);
    let width = graph.node(graph.find(&widest.0).unwrap()).width;
    let halves: Vec<f32> = widest.1.iter().map(|x| half::f16::from_f32(*x).to_f32()).collect();
    let row = halves.chunks_exact(width).find(|row| most(row).is_infinite()).expect("no infinity in f16");
    let norm = 1.0 / (row.iter().map(|x| x * x).sum::<f32>() / width as f32).sqrt();
    assert!(row.iter().any(|x| (x * norm).is_nan()), "a norm would hide it");

    let precision = PrecisionPlan::default().allow(&widest.0, Stored::F16);
    let refused = Gpu::prepare(graph, weights, Options { precision, ..keep }, &mut |_, _| Ok(())).err().unwrap();
    assert!(refused.to_string().contains(&widest.0), "{refused}");
}
