//! An engine on a GPU: lost devices, suspension, cancellation, and what `auto` makes of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::models::data;
use kinglet::{Activations, Cancel, DeviceChoice, Engine, Error, GpuOptions, Meanwhile, Options, Result, Sampling};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MODEL: &str = "tiny/tiny-llama-q4_0.gguf";
const PROMPT: [u32; 40] = {
    let mut ids = [0; 40];
    let mut i = 0;
    while i < ids.len() {
        ids[i] = (i * 37 % 300) as u32;
        i += 1;
    }
    ids
};
const TOKENS: usize = 24;

fn options(device: DeviceChoice, lose_after: Option<usize>) -> Options {
    // Short chunks, so that a prompt has several.
    Options { device, prefill_chunk: 8, gpu: GpuOptions { lose_after, ..software() }, ..Options::default() }
}

/// Whatever adapter there is, by a name that fits all: software ones are taken only when named.
fn software() -> GpuOptions {
    GpuOptions { adapter: Some(String::new()), ..GpuOptions::default() }
}

fn open(device: DeviceChoice, lose_after: Option<usize>) -> Result<Engine> {
    Engine::open(data(MODEL), &options(device, lose_after))
}

fn sampling() -> Sampling {
    Sampling { temperature: 0.0, max_tokens: TOKENS, min_tokens: TOKENS, ..Sampling::default() }
}

/// What an engine answers, and the devices that it gave up.
fn answer(engine: &Engine) -> Result<(Vec<u32>, usize)> {
    let mut session = engine.session()?;
    let mut answer = session.generate(&PROMPT, &sampling(), &Cancel::default())?;
    answer.text()?;
    Ok((answer.ids().to_vec(), answer.switched().len()))
}

#[test]
fn a_lost_device_is_a_typed_error_and_under_auto_nothing_is_lost() {
    let on_cpu = answer(&open(DeviceChoice::Cpu, None).unwrap()).unwrap().0;
    let (mut at_load, mut later, mut whole, mut switched_at) = (0, 0, 0, Vec::new());
    // A run takes about this many submissions; the device is lost at each of them, and never.
    for lose_after in (0..60).step_by(3).chain([100_000]) {
        let engine = open(DeviceChoice::Gpu, Some(lose_after));
        match engine.and_then(|engine| answer(&engine)) {
            Ok((ids, switches)) => {
                assert_eq!((ids, switches), (on_cpu.clone(), 0));
                whole += 1;
            }
            Err(Error::GpuLost(_)) => later += 1,
            Err(error) => panic!("lost after {lose_after}: {error}"),
        }
        let engine = open(DeviceChoice::Auto, Some(lose_after)).unwrap();
        at_load += usize::from(engine.device().kind == "cpu");
        let mut session = engine.session().unwrap();
        let mut answer = session.generate(&PROMPT, &sampling(), &Cancel::default()).unwrap();
        answer.text().unwrap();
        assert_eq!(answer.ids(), on_cpu, "lost after {lose_after}");
        switched_at.extend(answer.switched().iter().map(|switched| switched.at_token));
        assert!(answer.switched().iter().all(|switched| switched.from == "gpu" && switched.to == "cpu"));
    }
    assert!(at_load > 0, "never lost while loading");
    assert!(later > 0 && whole > 0, "{later} lost, {whole} not");
    assert!(switched_at.contains(&0), "never lost in the prompt: {switched_at:?}");
    assert!(switched_at.iter().any(|at| *at > 0), "never lost in the answer: {switched_at:?}");
}

#[test]
fn a_conversation_is_forked_and_rolled_back_after_a_loss() {
    // Enough for loading and the prompt, not for what comes then.
    let (cpu, auto) = (open(DeviceChoice::Cpu, None).unwrap(), open(DeviceChoice::Auto, Some(25)).unwrap());
    let follow = |engine: &Engine| -> Vec<u32> {
        let go = Cancel::default();
        let mut session = engine.session().unwrap();
        session.feed(&PROMPT, &go).unwrap();
        let mut fork = session.fork().unwrap();
        for id in 0..30 {
            session.feed(&[id], &go).unwrap();
        }
        session.truncate(20).unwrap();
        let mut ids = Vec::new();
        for session in [&mut fork, &mut session] {
            let mut answer = session.generate(&[9], &sampling(), &go).unwrap();
            answer.text().unwrap();
            ids.extend_from_slice(answer.ids());
        }
        ids
    };
    assert_eq!(auto.device().kind, "gpu", "{}", auto.device_reason());
    assert_eq!(follow(&auto), follow(&cpu));
    assert_eq!(auto.device().kind, "cpu", "the device was not lost");
    assert_eq!(auto.switches().len(), 1);
}

/// Where the device is lost before it can give keys and values away, `auto` saves the ids alone.
#[test]
fn a_session_is_saved_when_the_device_is_lost() {
    let cpu = open(DeviceChoice::Cpu, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let go = Cancel::default();
    let (mut lost, mut saved_by) = (0, [0, 0]);
    for lose_after in (0..30).chain([100_000]) {
        for device in [DeviceChoice::Gpu, DeviceChoice::Auto] {
            let Ok(engine) = open(device, Some(lose_after)) else { continue };
            let mut session = engine.session().unwrap();
            if session.feed(&PROMPT, &go).is_err() {
                continue;
            }
            match session.save(&path) {
                Err(Error::GpuLost(_)) if device == DeviceChoice::Gpu => {
                    lost += 1;
                    continue;
                }
                other => other.unwrap(),
            }
            saved_by[usize::from(device == DeviceChoice::Auto)] += 1;
            let mut session = cpu.restore(&path, &go).unwrap();
            assert_eq!(session.ids(), PROMPT);
            let mut answer = session.generate(&[9], &sampling(), &go).unwrap();
            answer.text().unwrap();
            let mut whole = cpu.session().unwrap();
            let mut same = whole.generate(&[PROMPT.as_slice(), &[9]].concat(), &sampling(), &go).unwrap();
            same.text().unwrap();
            assert_eq!(answer.ids(), same.ids(), "lost after {lose_after}");
        }
    }
    assert!(lost > 0, "never lost while saving");
    assert!(saved_by.iter().all(|count| *count > 0), "{saved_by:?}");
}

#[test]
fn a_suspended_gpu_does_nothing() {
    let on_cpu = answer(&open(DeviceChoice::Cpu, None).unwrap()).unwrap().0;
    let gpu = open(DeviceChoice::Gpu, None).unwrap();
    gpu.suspend(Meanwhile::Leave);
    assert!(matches!(answer(&gpu), Err(Error::Suspended)));
    gpu.resume();
    assert_eq!(answer(&gpu).unwrap(), (on_cpu.clone(), 0));

    gpu.suspend(Meanwhile::Wait);
    let resumed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let answer = answer(&gpu).unwrap();
            assert!(resumed.load(Ordering::SeqCst), "it worked while it was suspended");
            answer
        });
        std::thread::sleep(Duration::from_millis(200));
        resumed.store(true, Ordering::SeqCst);
        gpu.resume();
        assert_eq!(run.join().unwrap(), (on_cpu.clone(), 0));
    });

    // Waiting ends when it is cancelled.
    gpu.suspend(Meanwhile::Wait);
    let cancel = Cancel::default();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| gpu.session().unwrap().feed(&PROMPT, &cancel));
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        assert!(matches!(run.join().unwrap(), Err(Error::Cancelled)));
    });

    let auto = open(DeviceChoice::Auto, None).unwrap();
    auto.suspend(Meanwhile::Leave);
    let (ids, switches) = answer(&auto).unwrap();
    assert_eq!((&ids, switches, auto.device().kind), (&on_cpu, 1, "gpu"), "the GPU is kept for later");
    auto.resume();
    assert_eq!(answer(&auto).unwrap(), (on_cpu, 0));
}

#[test]
fn suspension_returns_only_when_the_gpu_is_idle() {
    let gpu = open(DeviceChoice::Gpu, None).unwrap();
    let cancel = Cancel::default();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut session = gpu.session().unwrap();
            let mut fed = 0;
            while session.room() > PROMPT.len() {
                match session.feed(&PROMPT, &cancel) {
                    Ok(()) => fed += 1,
                    Err(Error::Suspended) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            fed
        });
        std::thread::sleep(Duration::from_millis(30));
        let started = Instant::now();
        gpu.suspend(Meanwhile::Leave);
        let took = started.elapsed();
        run.join().unwrap();
        println!("suspended after {took:?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
}

#[test]
fn a_profile_counts_what_a_token_takes() {
    let gpu = open(DeviceChoice::Gpu, None).unwrap();
    let mut session = gpu.session().unwrap();
    session.feed(&PROMPT, &Cancel::default()).unwrap();
    let profile = session.profile(&[7], &Cancel::default()).unwrap().unwrap();
    let counted: usize = profile.kernels.iter().map(|kernel| kernel.count).sum();
    assert!(profile.submissions >= 1 && profile.dispatches == counted && counted > 0);
    assert!(profile.weight_bytes > 0 && profile.max_binding_bytes <= 128 << 20 && profile.max_storage_buffers <= 8);
    let cpu = open(DeviceChoice::Cpu, None).unwrap();
    assert!(cpu.session().unwrap().profile(&[7], &Cancel::default()).unwrap().is_none());
}

#[test]
fn activations_in_f32_are_the_gpus_alone() {
    let f32 = |device| Options { activations: Activations::F32, ..options(device, None) };
    let on_cpu = Engine::open(data(MODEL), &f32(DeviceChoice::Cpu)).err().unwrap();
    assert!(matches!(&on_cpu, Error::Option { name, .. } if name == "activations"), "{on_cpu}");
    let on_gpu = answer(&Engine::open(data(MODEL), &f32(DeviceChoice::Gpu)).unwrap()).unwrap();
    let reference = answer(&open(DeviceChoice::Reference, None).unwrap()).unwrap();
    assert_eq!(on_gpu, reference);
}
