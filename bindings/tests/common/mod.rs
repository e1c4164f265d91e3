//! What several test programs share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kinglet_ffi::{DeviceChoice, Engine, EngineOptions, Preset, Sampling, Session, StreamEvent, StreamResult};
use kinglet_ffi::{KingletError, TokenStream, sampling};
use pollster::block_on;
use std::path::Path;
use std::sync::Arc;

/// A small random model.
pub fn tiny() -> String {
    data("tiny/tiny-llama-q4_0.gguf")
}

/// A file of the core's test data.
pub fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/data").join(name).display().to_string()
}

/// One thread on the CPU.
pub fn options() -> EngineOptions {
    EngineOptions { device: Some(DeviceChoice::Cpu), threads: Some(1), ..EngineOptions::default() }
}

/// The small model, loaded.
pub fn engine() -> Arc<Engine> {
    block_on(Engine::load(tiny(), options(), None)).unwrap()
}

/// An empty session.
pub fn session(engine: &Engine) -> Arc<Session> {
    block_on(engine.session()).unwrap()
}

/// Exactly so many tokens, always the same.
pub fn tokens(count: u32) -> Sampling {
    Sampling { max_tokens: count, min_tokens: count, ..sampling(Preset::Greedy) }
}

/// A stream's events up to its end, and its error if it has one. Checks that nothing follows.
pub fn drain(stream: &TokenStream) -> (Vec<StreamEvent>, Option<KingletError>) {
    let mut events = Vec::new();
    loop {
        match block_on(stream.next()) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => {
                assert_eq!(block_on(stream.next()), Ok(None), "an error is the end");
                return (events, Some(error));
            }
        }
    }
}

/// What a stream came to. Checks that its events say the same and that it has one end.
pub fn finish(stream: &TokenStream) -> StreamResult {
    let (events, error) = drain(stream);
    assert_eq!(error, None);
    let ends = events.iter().filter(|event| matches!(event, StreamEvent::Done { .. })).count();
    let Some(StreamEvent::Done { result }) = events.last().filter(|_| ends == 1) else {
        panic!("{events:?}");
    };
    let text: String = events
        .iter()
        .filter_map(|event| if let StreamEvent::Text { text } = event { Some(&**text) } else { None })
        .collect();
    assert_eq!(text.trim(), result.text.trim());
    assert_eq!(stream.stats().as_ref(), Some(&result.stats));
    result.clone()
}

/// The error that a stream ends with.
pub fn failure(stream: &TokenStream) -> KingletError {
    let (events, error) = drain(stream);
    error.unwrap_or_else(|| panic!("no error: {events:?}"))
}
