//! A GPU is asked before it is believed: a good one passes, of a bad one the bad kernel is replaced, and what is known is
//! not asked again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::everything;
use common::models::data;
use common::tiers::tiers;
use kinglet::backend::bad::Kind;
use kinglet::backend::gpu::Tier;
use kinglet::guard::{Fitness, Step};
use kinglet::{Cancel, DeviceChoice, Engine, Error, GpuOptions, Options, Qualification, Qualify, Sampling};
use std::path::Path;

const MODELS: [&str; 2] = ["tiny/tiny-llama-q4_0.gguf", "tiny/tiny-gemma3-q8_0.gguf"];
const PROMPT: [u32; 9] = [1, 7, 50, 3, 111, 20, 5, 90, 14];

fn options(inject: Option<&str>, tier: Option<Tier>, cache: Option<&Path>) -> Options {
    let inject = inject.map(|inject| inject.parse().unwrap());
    // Whatever adapter there is: software ones are taken only when named.
    let adapter = Some(String::new());
    let gpu = GpuOptions { adapter, tier, inject, cache: cache.map(Path::to_path_buf), ..GpuOptions::default() };
    Options { threads: Some(2), gpu, ..Options::default() }
}

fn qualify(model: &str, options: &Options) -> Qualification {
    Engine::qualify(data(model), options, &mut |_, _| {}, &Cancel::default()).unwrap()
}

/// The answer and the device that it ends on.
fn answer(model: &str, options: &Options) -> (Vec<u32>, &'static str) {
    let engine = Engine::open(data(model), options).unwrap();
    let mut session = engine.session().unwrap();
    let mut answer = session.generate(&PROMPT, &Sampling::greedy().max_tokens(12), &Cancel::default()).unwrap();
    answer.text().unwrap();
    (answer.ids().to_vec(), engine.device().kind)
}

fn right(model: &str) -> Vec<u32> {
    answer(model, &Options { device: DeviceChoice::Cpu, ..options(None, None, None) }).0
}

#[test]
fn a_good_gpu_is_good_on_every_tier() {
    for model in MODELS {
        for tier in tiers() {
            let options = options(None, Some(tier), None);
            let found = qualify(model, &options);
            assert_eq!((found.verdict, found.cached), (Fitness::Good, false), "{model}, {tier}: {:?}", found.ladder);
            assert!(found.ladder.is_empty() && found.runs > 200, "{found:?}");
        }
        assert_eq!(answer(model, &options(None, None, None)), (right(model), "gpu"));
    }
}

/// Nodes that are asked for: each the middle one of those alike.
const NODES: [(&str, &str); 5] = [
    ("blk.1.attn_norm", "rms_norm"),
    ("blk.1.attn_q", "matmul"),
    ("blk.1.ffn_down", "matmul"),
    ("blk.1.attn_heads", "attend"),
    ("output", "matmul"),
];

#[test]
fn a_bad_kernel_is_replaced_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (i, (name, kind)) in Kind::ALL.into_iter().enumerate() {
        for (j, (node, kernel)) in NODES.into_iter().enumerate() {
            // Software Vulkan is slow.
            if !everything() && i % NODES.len() != j {
                continue;
            }
            let model = MODELS[usize::from(node == "output")];
            let inject = format!("{name}@{node}");
            let options = options(Some(&inject), Some(Tier::Dot), Some(folder.path()));
            let found = qualify(model, &options);
            if kind == Kind::Slow {
                assert_eq!(found.verdict, Fitness::Good, "{inject} is right");
                continue;
            }
            let is_right = |Step { node: wrong, from, to, .. }: &Step| {
                wrong == node && from.starts_with(kernel) && *to == format!("{from}_safe")
            };
            if found.verdict != Fitness::Replaced || !found.ladder.first().is_some_and(is_right) {
                wrong.push(format!("{model}, {inject}: {found:?}"));
            }
            if answer(model, &options) != (right(model), "gpu") {
                wrong.push(format!("{model}, {inject}: another answer, or on another device"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_model_goes_to_the_cpu_where_nothing_helps() {
    // There is nothing plainer than the plainest tier; and no kernel is to blame for what only one of its nodes does.
    for (inject, tier) in [("zeros@blk.1.ffn_down", Tier::Plain), ("zeros@blk.0.attn_norm", Tier::Dot)] {
        let options = options(Some(inject), Some(tier), None);
        let found = qualify(MODELS[0], &options);
        let last = found.ladder.last().unwrap();
        assert_eq!((found.verdict, last.from.as_str(), last.to.as_str()), (Fitness::Cpu, "gpu", "cpu"), "{found:?}");
        assert_eq!(answer(MODELS[0], &options), (right(MODELS[0]), "cpu"));
    }
}

#[test]
fn what_is_known_is_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let once = options(None, None, Some(folder.path()));
    let first = qualify(MODELS[0], &once);
    let second = qualify(MODELS[0], &once);
    assert!(!first.cached && second.cached && second.runs == 0, "{first:?} {second:?}");
    assert!(!qualify(MODELS[1], &once).cached, "another model");
    assert!(!qualify(MODELS[0], &options(None, Some(Tier::Plain), Some(folder.path()))).cached, "another tier");
    let mut again = once.clone();
    again.gpu.qualify = Qualify::Again;
    assert!(!qualify(MODELS[0], &again).cached);

    // An updated driver.
    for file in std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.to_string_lossy().ends_with("verdict.json") {
            let text = std::fs::read_to_string(&file).unwrap();
            let older = text.replace(&format!("\"driver\": \"{}", first.driver), "\"driver\": \"older");
            assert_ne!(text, older);
            std::fs::write(&file, older).unwrap();
        }
    }
    let updated = qualify(MODELS[0], &once);
    assert!(!updated.cached && updated.runs > 0);
    assert!(qualify(MODELS[0], &once).cached);
}

#[test]
fn asking_can_be_cancelled() {
    let (cancel, stop) = (Cancel::default(), Cancel::default());
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    let mut progress = |done: usize, _: usize| {
        seen = done;
        if done == 5 {
            stop.cancel();
        }
    };
    let options = options(None, None, Some(folder.path()));
    cancel.cancel();
    let asked = Engine::qualify(data(MODELS[0]), &options, &mut progress, &cancel);
    assert!(matches!(asked, Err(Error::Cancelled)), "{asked:?}");
    let asked = Engine::qualify(data(MODELS[0]), &options, &mut progress, &stop);
    assert!(matches!(asked, Err(Error::Cancelled)) && seen == 5, "{asked:?} after {seen}");
    let left = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| !name.to_string_lossy().ends_with(".pipelines")).collect();
    assert!(left.is_empty(), "no verdict, and nothing that looks like a crash: {left:?}");
}
