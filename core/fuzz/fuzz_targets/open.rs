//! Opens any bytes as a model, the way an app does, and talks to what opens. Run in `core/`, after `seeds`:
//! `cargo +nightly fuzz run open -- -max_total_time=600 -rss_limit_mb=1024 -max_len=131072`
#![no_main]

use kinglet::{Activations, Cancel, DeviceChoice, Engine, Options, Sampling};
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;

/// One file a process, written again for each run.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("kinglet-fuzz-{}.gguf", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    if std::fs::write(&*FILE, bytes).is_err() {
        return;
    }
    let mut options = Options { threads: Some(1), prefill_chunk: 3, context: Some(12), ..Options::default() };
    let planned = Engine::plan(&*FILE, &options);
    match Engine::open(&*FILE, &options) {
        Ok(engine) => {
            assert!(planned.is_ok(), "what opens can be planned");
            talk(&engine);
            options.activations = Activations::Int8;
            options.device = DeviceChoice::Reference;
            talk(&Engine::open(&*FILE, &options).expect("what opens on one device opens on the other"));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 2000, "a message of {} bytes", message.len());
        }
    }
});

/// A prompt, a few tokens, an end.
fn talk(engine: &Engine) {
    let prompt = engine.prompt("ab <|im_end|> c\n");
    let mut ids = prompt.unwrap_or_else(|_| vec![0]);
    ids.truncate(7);
    if ids.is_empty() {
        ids.push(0);
    }
    let Ok(mut session) = engine.session() else { return };
    let sampling = Sampling { max_tokens: 3, ..Sampling::default() };
    if let Ok(mut generation) = session.generate(&ids, &sampling, &Cancel::default()) {
        let _ = generation.text();
    }
}
