//! Cancelling, dropping, waiting, shutting down: at any moment, from any thread, as often as one likes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{drain, engine, failure, finish, options, session, tiny, tokens};
use kinglet_ffi::{Effort, Engine, KingletError, StopReason, StreamEvent, Work};
use pollster::block_on;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// More tokens than a stream may be ahead.
const MANY: u32 = 180;
/// As many calls may wait.
const PLACES: usize = 64;

/// Until something is so, or ten seconds.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(10), "not {what} in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_stream_waits_for_its_reader_and_ends_when_it_is_cancelled() {
    let engine = engine();
    let session = session(&engine);
    let stream = session.generate("Go".into(), tokens(MANY)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(stream.stats(), None, "it ran ahead of its reader");
    let other = Arc::clone(&stream);
    std::thread::spawn(move || other.cancel()).join().unwrap();
    stream.cancel();
    let (events, error) = drain(&stream);
    assert_eq!(error, None);
    let Some(StreamEvent::Done { result }) = events.last() else { panic!("{events:?}") };
    assert_eq!(result.stats.stop, Some(StopReason::Cancelled));
    assert!(result.stats.tokens >= 64 && result.stats.tokens < MANY, "{}", result.stats.tokens);
    // The session goes on.
    assert_eq!(finish(&session.generate("on".into(), tokens(3)).unwrap()).stats.tokens, 3);
}

#[test]
fn a_stream_that_is_dropped_lets_the_next_one_run() {
    let engine = engine();
    let session = session(&engine);
    let stream = session.generate("Go".into(), tokens(MANY)).unwrap();
    assert!(matches!(block_on(stream.next()), Ok(Some(StreamEvent::Text { .. }))));
    drop(stream);
    assert_eq!(finish(&session.generate("on".into(), tokens(3)).unwrap()).stats.tokens, 3);
    assert!(session.position() < MANY, "it ran to its end");
}

#[test]
fn a_stream_outlives_its_engine_and_session() {
    let stream = session(&engine()).generate("Go".into(), tokens(MANY)).unwrap();
    assert_eq!(finish(&stream).stats.tokens, MANY);
}

#[test]
fn a_full_queue_says_so_and_empties() {
    let engine = engine();
    let session = session(&engine);
    let first = session.generate("Go".into(), tokens(MANY)).unwrap();
    block_on(first.next()).unwrap();
    let waiting: Vec<_> = (0..PLACES).map(|_| session.generate("more".into(), tokens(1)).unwrap()).collect();
    let refused = session.generate("more".into(), tokens(1)).err().unwrap();
    assert!(
        matches!(&refused, KingletError::Busy(text) if text.contains("64") && text.contains("cancel")),
        "{refused}"
    );
    assert!(matches!(block_on(engine.session()), Err(KingletError::Busy(_))));
    // What is dropped takes no place.
    drop(session);
    first.cancel();
    for stream in waiting {
        assert_eq!(finish(&stream).stats.tokens, 1);
    }
    assert!(block_on(engine.session()).is_ok());
}

#[test]
fn shutting_down_ends_all_and_may_be_repeated() {
    let engine = engine();
    let session = session(&engine);
    let running = session.generate("Go".into(), tokens(MANY)).unwrap();
    block_on(running.next()).unwrap();
    let waiting = session.generate("Go".into(), tokens(3)).unwrap();
    let other = Arc::clone(&engine);
    let thread = std::thread::spawn(move || block_on(other.shutdown()));
    block_on(engine.shutdown());
    thread.join().unwrap();
    block_on(engine.shutdown());

    let (events, error) = drain(&running);
    assert_eq!(error, None);
    let Some(StreamEvent::Done { result }) = events.last() else { panic!("{events:?}") };
    assert_eq!(result.stats.stop, Some(StopReason::Cancelled));
    let closed = |error: &KingletError| {
        assert!(matches!(error, KingletError::Closed(text) if text.contains("load the model again")), "{error:?}");
    };
    closed(&failure(&waiting));
    closed(&session.generate("Go".into(), tokens(3)).err().unwrap());
    closed(&block_on(session.reset()).unwrap_err());
    closed(&block_on(session.save("nowhere".into())).unwrap_err());
    closed(&block_on(session.fork()).err().unwrap());
    closed(&block_on(engine.session()).err().unwrap());
    closed(&block_on(engine.restore("nowhere".into(), None)).err().unwrap());
    closed(&block_on(engine.benchmark(1, 1, 1, None)).unwrap_err());
    closed(&block_on(engine.trim()).unwrap_err());
    closed(&engine.set_effort(Effort::Half).unwrap_err());
    closed(&engine.effort().unwrap_err());
    closed(&block_on(engine.classify("a".into(), vec!["b".into()], true, None)).unwrap_err());
    closed(&block_on(engine.reply("a".into(), None, None)).unwrap_err());
    closed(&engine.tokenize("a".into()).unwrap_err());
    closed(&engine.count_tokens("a".into()).unwrap_err());
    closed(&engine.detokenize(vec![1]).unwrap_err());
    closed(&engine.device().unwrap_err());
    closed(&engine.suspend(kinglet_ffi::Meanwhile::Wait).unwrap_err());
    closed(&engine.resume().unwrap_err());
    // What is known stays known.
    assert!(engine.info().vocab > 0 && session.position() > 0);
}

/// The thread lets go of the model, whose file is mapped for as long.
#[test]
#[cfg(target_os = "linux")]
fn a_dropped_engine_frees_the_model() {
    // A file that no other test has open.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gguf");
    std::fs::copy(tiny(), &path).unwrap();
    let path = path.display().to_string();
    let mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains(&path);
    let load = || block_on(Engine::load(path.clone(), options(), None)).unwrap();

    let engine = load();
    assert!(mapped());
    block_on(engine.shutdown());
    assert!(!mapped(), "shut down");

    let engine = load();
    let session = session(&engine);
    let stream = session.generate("Go".into(), tokens(MANY)).unwrap();
    block_on(stream.next()).unwrap();
    drop((engine, session));
    assert!(mapped(), "the stream is still read");
    drop(stream);
    until("freed", || !mapped());
}

#[test]
fn a_load_can_be_cancelled_and_dropped() {
    let work = Work::new();
    work.cancel();
    work.cancel();
    let error = block_on(Engine::load(tiny(), options(), Some(work.clone()))).err().unwrap();
    assert_eq!(error, KingletError::Cancelled("cancelled".into()));
    assert!(work.is_cancelled());

    let work = Work::new();
    {
        let mut load = pin!(Engine::load(tiny(), options(), Some(work.clone())));
        let _ = load.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    assert!(work.is_cancelled(), "nobody waits for it any more");
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    let engine = engine();
    let session = session(&engine);
    let stream = session.generate("Go".into(), tokens(MANY)).unwrap();
    block_on(stream.next()).unwrap();
    let work = Work::new();
    let mut call = Box::pin(engine.benchmark(100, 100, u32::MAX, Some(work.clone())));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(call);
    assert!(work.is_cancelled());
    stream.cancel();
    // It would take for ever.
    block_on(session.reset()).unwrap();
}

#[test]
fn a_running_call_can_be_cancelled() {
    let engine = engine();
    let work = Work::new();
    let (other, hand) = (Arc::clone(&engine), work.clone());
    let thread = std::thread::spawn(move || block_on(other.benchmark(100, 100, u32::MAX, Some(hand))));
    until("running", || work.progress().total > 0);
    work.cancel();
    assert_eq!(thread.join().unwrap(), Err(KingletError::Cancelled("cancelled".into())));
}
