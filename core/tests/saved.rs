//! Sessions in files: any device goes on with what another has saved, and no file does harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::models::data;
use kinglet::{Cancel, DeviceChoice, Engine, Error, GpuOptions, KvType, Options, Session};
use std::path::Path;

/// With and without sliding windows, which the prompt exceeds.
const MODELS: [&str; 2] = ["tiny/tiny-gemma3-q8_0.gguf", "tiny/tiny-llama-q4_0.gguf"];
const DEVICES: [DeviceChoice; 3] = [DeviceChoice::Reference, DeviceChoice::Cpu, DeviceChoice::Gpu];

fn open(model: &str, device: DeviceChoice, kv: KvType) -> Engine {
    // Software adapters are taken only when named.
    let gpu = GpuOptions { adapter: Some(String::new()), ..GpuOptions::default() };
    Engine::open(data(model), &Options { device, kv, gpu, prefill_chunk: 16, ..Options::default() }).unwrap()
}

fn ids(engine: &Engine) -> Vec<u32> {
    (0..engine.context().min(90) as u32).map(|i| i * 37 % engine.vocab() as u32).collect()
}

/// All logits of what follows.
fn follow(session: &mut Session, ids: &[u32]) -> Vec<f32> {
    let mut all = Vec::new();
    for id in ids {
        session.feed(&[*id], &Cancel::default()).unwrap();
        all.extend_from_slice(session.logits());
    }
    all
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
fn any_device_goes_on_with_what_another_saved() {
    let folder = tempfile::tempdir().unwrap();
    for model in MODELS {
        for kv in [KvType::F16, KvType::F32] {
            let engines = DEVICES.map(|device| open(model, device, kv));
            for (from, engine) in engines.iter().enumerate() {
                let ids = ids(engine);
                let (before, after) = ids.split_at(ids.len() - 8);
                let path = folder.path().join(format!("{from}"));
                let mut session = engine.session().unwrap();
                session.feed(before, &Cancel::default()).unwrap();
                session.save(&path).unwrap();
                let whole = follow(&mut session, after);
                for (to, other) in engines.iter().enumerate() {
                    let what = format!("{model} {kv:?} from {from} to {to}");
                    let mut restored = other.restore(&path, &Cancel::default()).unwrap();
                    assert_eq!(restored.ids(), before);
                    assert!(restored.logits().is_empty());
                    let rest = follow(&mut restored, after);
                    if from == to {
                        assert!(whole == rest || kv == KvType::F16 && from == 0, "{what}: other bits");
                    }
                    // Devices differ in rounding alone.
                    assert!(apart(&whole, &rest) < 0.05, "{what}: {}", apart(&whole, &rest));
                    // What a window has dropped is not made up.
                    match restored.truncate(3) {
                        Ok(()) => assert!(model.contains("llama"), "{what}: positions that were not saved"),
                        Err(Error::Rollback { .. }) => assert!(model.contains("gemma3"), "{what}"),
                        Err(error) => panic!("{what}: {error}"),
                    }
                }
            }
        }
    }
}

#[test]
fn an_empty_session_is_saved_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    for device in DEVICES {
        let engine = open(MODELS[1], device, KvType::F16);
        engine.session().unwrap().save(&path).unwrap();
        assert!(engine.restore(&path, &Cancel::default()).unwrap().ids().is_empty());
    }
}

fn restored(engine: &Engine, path: &Path, bytes: &[u8]) -> Result<Session, Error> {
    std::fs::write(path, bytes).unwrap();
    engine.restore(path, &Cancel::default())
}

#[test]
fn a_damaged_file_is_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session");
    let engine = open(MODELS[1], DeviceChoice::Cpu, KvType::F16);
    let mut session = engine.session().unwrap();
    session.feed(&ids(&engine)[..20], &Cancel::default()).unwrap();
    session.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert!(!path.with_added_extension("part").exists());
    let step = (whole.len() / 200).max(1);
    for at in (0..whole.len()).step_by(step) {
        let cut = restored(&engine, &path, &whole[..at]);
        assert!(matches!(cut, Err(Error::Saved { .. })), "cut at {at}: {:?}", cut.err());
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let result = restored(&engine, &path, &changed);
        let typed = matches!(result, Err(Error::Saved { .. } | Error::ContextFull { .. } | Error::TokenId { .. }));
        assert!(typed, "changed at {at}: {:?}", result.err());
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(matches!(restored(&engine, &path, &longer), Err(Error::Saved { .. })));
    assert!(restored(&engine, &path, &whole).is_ok());
    let other = open(MODELS[0], DeviceChoice::Cpu, KvType::F16);
    let error = restored(&other, &path, &whole).err().unwrap();
    assert!(error.to_string().contains("another model"), "{error}");
    let short = Options { context: Some(10), device: DeviceChoice::Cpu, ..Options::default() };
    let short = Engine::open(data(MODELS[1]), &short).unwrap();
    assert!(matches!(restored(&short, &path, &whole), Err(Error::ContextFull { .. })));
    let missing = engine.restore(folder.path().join("none"), &Cancel::default());
    assert!(matches!(missing, Err(Error::Io { .. })));
}
