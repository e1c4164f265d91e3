//! A GPU behind the bindings, whatever Vulkan there is: what it is given up for shows in the stream, and reports cross.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{drain, failure, finish, session, tiny, tokens};
use kinglet_ffi::{
    DeviceChoice, DiagnoseMode, DiagnoseOptions, DivergenceVerdict, Engine, EngineOptions, Fitness, GpuOptions,
    KingletError, Meanwhile, Qualify, StreamEvent, Switched, Work, devices, diagnose, qualify,
};
use pollster::block_on;
use std::sync::Arc;

/// A name that fits all: software adapters are taken only when named.
fn options(device: DeviceChoice, lose_after: Option<u32>) -> EngineOptions {
    let gpu =
        GpuOptions { adapter: Some(String::new()), qualify: Some(Qualify::Never), lose_after, ..GpuOptions::default() };
    EngineOptions { device: Some(device), threads: Some(1), prefill_chunk: Some(8), gpu, ..EngineOptions::default() }
}

fn engine(device: DeviceChoice, lose_after: Option<u32>) -> Result<Arc<Engine>, KingletError> {
    block_on(Engine::load(tiny(), options(device, lose_after), None))
}

#[test]
fn a_lost_gpu_shows_in_the_stream_and_costs_no_text() {
    let prompt = "One, two, three, four, five, six, seven, eight, nine, ten, eleven";
    let on_cpu = finish(&session(&common::engine()).generate(prompt.into(), tokens(24)).unwrap()).text;
    let mut seen = Vec::new();
    for lose_after in (0..80).step_by(4) {
        let engine = engine(DeviceChoice::Auto, Some(lose_after)).unwrap();
        let stream = session(&engine).generate(prompt.into(), tokens(24)).unwrap();
        let (events, error) = drain(&stream);
        assert_eq!(error, None);
        let Some(StreamEvent::Done { result }) = events.last() else { panic!("{events:?}") };
        assert_eq!(result.text, on_cpu, "lost after {lose_after}");
        let told: Vec<&Switched> = events
            .iter()
            .filter_map(|e| if let StreamEvent::Switched { switched } = e { Some(switched) } else { None })
            .collect();
        assert_eq!(told, result.stats.switched.iter().collect::<Vec<_>>());
        assert!(told.iter().all(|one| one.from_device == "gpu" && one.to_device == "cpu" && !one.why.is_empty()));
        if !told.is_empty() {
            assert_eq!(engine.device().unwrap().kind, "cpu");
        }
        seen.extend(told.into_iter().map(|one| one.at_token));
    }
    assert!(seen.iter().any(|at| *at > 0), "never lost in the answer: {seen:?}");

    let lost = engine(DeviceChoice::Gpu, Some(30)).and_then(|engine| {
        let stream = session(&engine).generate(prompt.into(), tokens(100)).unwrap();
        drain(&stream).1.map_or(Ok(()), Err)
    });
    assert!(matches!(&lost, Err(KingletError::GpuLost(text)) if text.contains("open the model again")), "{lost:?}");
}

#[test]
fn a_suspended_gpu_does_nothing() {
    let engine = engine(DeviceChoice::Gpu, None).unwrap();
    assert_eq!(engine.device().unwrap().kind, "gpu");
    let session = session(&engine);
    engine.suspend(Meanwhile::Leave).unwrap();
    assert!(matches!(failure(&session.generate("a".into(), tokens(2)).unwrap()), KingletError::Suspended(_)));
    engine.suspend(Meanwhile::Wait).unwrap();
    let waits = session.generate("a".into(), tokens(2)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(waits.stats(), None);
    engine.resume().unwrap();
    assert_eq!(finish(&waits).stats.tokens, 2);
    // One that waits is ended by shutting down.
    engine.suspend(Meanwhile::Wait).unwrap();
    let waits = session.generate("a".into(), tokens(2)).unwrap();
    block_on(engine.shutdown());
    drop(waits);
}

#[test]
fn a_gpu_is_qualified_once_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(DeviceChoice::Auto, None);
    options.gpu.qualify = Some(Qualify::Once);
    options.gpu.cache_folder = Some(folder.path().display().to_string());
    let work = Work::new();
    let found = block_on(qualify(tiny(), options.clone(), Some(work.clone()))).unwrap();
    assert_eq!((found.verdict, found.cached), (Fitness::Good, false), "{found:?}");
    let progress = work.progress();
    assert!(found.runs > 0 && progress.done > 0 && progress.fraction <= 1.0, "{} {progress:?}", found.runs);
    assert!(found.json.contains(&found.adapter) && found.json.contains("\"good\""), "{}", found.json);
    let again = block_on(qualify(tiny(), options.clone(), None)).unwrap();
    assert_eq!((again.verdict, again.cached, again.runs), (Fitness::Good, true, 0));
    assert!(block_on(devices()).unwrap().iter().any(|gpu| gpu.name == found.adapter && gpu.usable));

    let prompt = "a secret prompt".to_owned();
    let wanted = |mode| DiagnoseOptions {
        mode: Some(mode),
        prompt_tokens: Some(4),
        tokens: Some(2),
        ..DiagnoseOptions::default()
    };
    let compare = |mode, work| block_on(diagnose(tiny(), prompt.clone(), options.clone(), Some(wanted(mode)), work));
    let report = compare(DiagnoseMode::Drift, None).unwrap();
    assert_eq!((report.verdict, report.first_bad, report.whole), (DivergenceVerdict::Same, None, true));
    assert!(report.json.contains("\"model_sha256\"") && !report.json.contains("secret"));
    let work = Work::new();
    let report = compare(DiagnoseMode::Isolated, Some(work.clone())).unwrap();
    // A node that is right may still be blamed for its time, which a busy machine decides.
    assert!(matches!(report.class_of_fault.as_deref(), None | Some("slow")), "{report:?}");
    let progress = work.progress();
    assert!(report.nodes > 10 && progress.total as usize > 10, "{} {progress:?}", report.nodes);

    assert!(report.html.starts_with("<!doctype html>") && report.html.trim().ends_with("</script>"));
    assert!(report.html.contains("tiny-llama-q4_0.gguf") && !report.html.contains("secret"));
    let mut bad = options.clone();
    bad.gpu.inject = Some("zeros@blk.1.ffn_down".into());
    let wanted = wanted(DiagnoseMode::Isolated);
    let report = block_on(diagnose(tiny(), prompt.clone(), bad, Some(wanted), None)).unwrap();
    assert_eq!((report.verdict, report.first_bad.as_deref()), (DivergenceVerdict::Broken, Some("blk.1.ffn_down")));
    assert!(report.html.contains("blk.1.ffn_down"));

    let cancelled = Work::new();
    cancelled.cancel();
    let error = compare(DiagnoseMode::Isolated, Some(cancelled)).unwrap_err();
    assert!(matches!(error, KingletError::Cancelled(_)), "{error:?}");
}
