//! Any text as what a user types, and as a chat template: tokens stand for the text, control tokens never come out of
//! it, and no template does harm. Run in `core/`, after `seeds`:
//! `cargo +nightly fuzz run text -- -max_total_time=300 -rss_limit_mb=1024 -max_len=4096`
#![no_main]

#[path = "../../tests/common/mini.rs"]
mod mini;
#[path = "../../tests/common/writer.rs"]
mod writer;

use kinglet::chat::{ChatTemplate, Message, Role};
use kinglet::gguf::Gguf;
use kinglet::tokenizer::{Decoder, Special, Tokenizer};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::LazyLock;

/// The small vocabularies, which lack most characters, and whole ones of each kind.
static TOKENIZERS: LazyLock<Vec<Tokenizer>> = LazyLock::new(|| {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
    let open = |file: &str| Gguf::open(&data.join(file)).expect("the tests' models are here");
    let made = [mini::llama(), mini::qwen2()].map(|file| Gguf::from_bytes(file.bytes()).expect("it is right"));
    let files = ["tiny/tiny-llama-q4_0.gguf", "tiny/tiny-qwen3-q4_0.gguf", "tiny/tiny-gemma3-q4_0.gguf"].map(open);
    made.iter().chain(&files).map(|gguf| Tokenizer::from_gguf(gguf).expect("it is right")).collect()
});

fuzz_target!(|text: &str| {
    for tokenizer in TOKENIZERS.iter() {
        let plain = tokenizer.encode(text, Special::Plain).expect("short texts can be encoded");
        assert!(!plain.iter().any(|&id| tokenizer.is_control(id)), "text became a control token");
        let parsed = tokenizer.encode(text, Special::Parse).expect("short texts can be encoded");
        for ids in [&plain, &parsed] {
            let mut decoder = Decoder::new(tokenizer);
            let mut streamed: String = ids.iter().map(|&id| decoder.push(id).expect("it was encoded")).collect();
            streamed += &decoder.finish();
            assert_eq!(streamed, tokenizer.decode_text(ids).expect("it was encoded"));
        }
    }
    let tokenizer = &TOKENIZERS[1];
    let said = [Message::new(Role::User, text), Message::new(Role::Assistant, "ab"), Message::new(Role::User, "a\n")];
    let own = ChatTemplate::new(mini::TEMPLATE, tokenizer).expect("it is right");
    let ids = own.encode(tokenizer, &said, true).expect("this template takes anything");
    assert!(!ids.iter().any(|&id| tokenizer.is_control(id)), "a message became a control token");
    if let Ok(template) = ChatTemplate::new(text, tokenizer) {
        let _ = template.render(&said, true);
        let _ = template.encode(tokenizer, &said[2..], false);
    }
});
