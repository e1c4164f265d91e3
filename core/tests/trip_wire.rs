//! The trip wire on a real GPU: whatever a bad driver makes of an answer, it ends as the CPU's, and a good one is left
//! in peace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::golden::{self, Greedy};
use common::models::{self, data};
use common::tiers::tiers;
use kinglet::backend::bad::{Inject, Kind};
use kinglet::text::{Classify, Extract, classify, extract};
use kinglet::{Cancel, DeviceChoice, Engine, Error, GpuOptions, Options, Qualify, Result, Sampling, Schedule};
use std::path::Path;

const MODELS: [&str; 2] = ["tiny/tiny-llama-q4_0.gguf", "tiny/tiny-gemma3-q8_0.gguf"];
const PROMPT: [u32; 9] = [1, 7, 50, 3, 111, 20, 5, 90, 14];

fn options(device: DeviceChoice, inject: Option<Inject>) -> Options {
    // Whatever adapter there is: software ones are taken only when named. Qualified it would not be taken.
    let (adapter, qualify) = (Some(String::new()), Qualify::Never);
    let gpu = GpuOptions { adapter, qualify, inject, ..GpuOptions::default() };
    Options { device, threads: Some(2), prefill_chunk: 8, gpu, ..Options::default() }
}

/// An answer as a screen shows it, its ids, and why devices were given up.
fn answer(path: &Path, options: &Options, sampling: &Sampling) -> Result<(String, Vec<u32>, Vec<String>)> {
    answer_to(&PROMPT, path, options, sampling)
}

fn answer_to(
    ids: &[u32],
    path: &Path,
    options: &Options,
    sampling: &Sampling,
) -> Result<(String, Vec<u32>, Vec<String>)> {
    let engine = Engine::open(path, options)?;
    let mut session = engine.session()?;
    let mut answer = session.generate(ids, sampling, &Cancel::default())?;
    let text = answer.text()?;
    let why = answer.switched().iter().map(|switched| switched.why.clone()).collect();
    Ok((text, answer.ids().to_vec(), why))
}

fn samplings() -> [Sampling; 2] {
    [Sampling::greedy(), Sampling { temperature: 0.8, seed: 3, ..Sampling::default() }].map(|s| s.max_tokens(20))
}

#[test]
fn an_answer_ends_as_the_cpus_whatever_the_driver_does() {
    let mut noticed = Vec::new();
    for (i, (name, kind)) in Kind::ALL.into_iter().enumerate() {
        for (j, node) in ["blk.0.attn_q", "blk.1.ffn_down", "output"].into_iter().enumerate() {
            let path = data(MODELS[(i + j) % MODELS.len()]);
            let sampling = &samplings()[j % 2];
            let right = answer(&path, &options(DeviceChoice::Cpu, None), sampling).unwrap();
            let inject: Inject = format!("{name}@{node}").parse().unwrap();
            let (text, ids, why) = answer(&path, &options(DeviceChoice::Auto, Some(inject)), sampling).unwrap();
            assert_eq!((text, ids), (right.0, right.1), "{name}@{node}: {why:?}");
            if !why.is_empty() {
                noticed.push(kind);
            }
        }
    }
    // What changes nothing that anybody could read need not be noticed.
    for kind in [Kind::Zeros, Kind::Tile, Kind::Stale, Kind::FromIndex, Kind::Subgroup32, Kind::Lost, Kind::Refused] {
        assert!(noticed.contains(&kind), "{kind:?} was never noticed: {noticed:?}");
    }
}

/// Gemma's residual stream exceeds f16, so that a driver that stores it so makes of it what is no number.
#[test]
fn an_answer_of_a_real_model_ends_as_the_cpus() {
    let cases = [
        (models::smollm2(), "smollm2-135m", "zeros@blk.9.ffn_down"),
        (models::gemma3(), "gemma3-270m", "f16-residual@blk.9.l_out"),
    ];
    for (path, name, inject) in cases {
        let goldens: Greedy = golden::read(&format!("{name}/greedy.json"));
        let run = goldens.runs.iter().min_by_key(|run| run.prompt_ids.len()).unwrap();
        let sampling = samplings()[0].clone().max_tokens(6);
        let ask = |options: &Options| answer_to(&run.prompt_ids, &path, options, &sampling).unwrap();
        let right = ask(&options(DeviceChoice::Cpu, None));
        let (text, ids, why) = ask(&options(DeviceChoice::Auto, Some(inject.parse().unwrap())));
        assert_eq!((text, ids), (right.0, right.1), "{inject}: {why:?}");
        assert_eq!(why.len(), 1, "{inject} was not noticed: {why:?}");
    }
}

/// What is read from logits without a generation.
#[test]
fn labels_and_fields_are_the_cpus_whatever_the_driver_does() {
    let go = Cancel::default();
    let ask = |path: &Path, options: &Options| {
        let engine = Engine::open(path, options).unwrap();
        let mut session = engine.session().unwrap();
        let labels = Classify::new(["a", "the", "and"]);
        let label = classify(&mut session, "the cat and a dog", &labels, &go).unwrap();
        let mut fields = Extract::new(["who", "what"]);
        (fields.max_tokens, fields.verbatim) = (6, false);
        let fields = extract(&mut session, "the cat and a dog", &fields, &go).unwrap();
        let why = engine.switches().into_iter().map(|switch| switch.why).collect::<Vec<_>>();
        (label.label, label.probabilities, fields.fields, why)
    };
    let kinds = ["zeros", "tile", "stale", "from-index", "subgroup32", "lost", "refused"];
    for (i, kind) in kinds.into_iter().enumerate() {
        let path = data(MODELS[i % MODELS.len()]);
        let right = ask(&path, &options(DeviceChoice::Cpu, None));
        let inject: Inject = format!("{kind}@blk.1.ffn_down").parse().unwrap();
        let found = ask(&path, &options(DeviceChoice::Auto, Some(inject)));
        assert_eq!((&found.0, &found.1, &found.2), (&right.0, &right.1, &right.2), "{kind}: {:?}", found.3);
        assert_eq!(found.3.len(), 1, "{kind}: {:?}", found.3);
    }
}

#[test]
fn who_asks_for_the_gpu_is_told_of_garbage() {
    let inject = Some("zeros@output".parse().unwrap());
    let error = answer(&data(MODELS[0]), &options(DeviceChoice::Gpu, inject), &samplings()[0]).unwrap_err();
    assert!(matches!(error, Error::Distrusted { device: "gpu", .. }), "{error}");
}

#[test]
fn a_good_driver_is_left_in_peace() {
    let tiers = tiers();
    let check = |path: &Path, at: usize, schedule: Schedule, sampling: &Sampling| {
        let mut options = Options { schedule, ..options(DeviceChoice::Auto, None) };
        options.gpu.tier = Some(tiers[at % tiers.len()]);
        let (.., why) = answer(path, &options, sampling).unwrap();
        assert!(why.is_empty(), "{}: {why:?}", path.display());
    };
    for (i, path) in MODELS.map(data).iter().enumerate() {
        for (j, schedule) in [Schedule::Fused, Schedule::Plain].into_iter().enumerate() {
            samplings().iter().for_each(|sampling| check(path, i + j, schedule, sampling));
        }
    }
    check(&models::smollm2(), 2, Schedule::Fused, &samplings()[0]);
    check(&models::gemma3(), 1, Schedule::Plain, &samplings()[1]);
}
