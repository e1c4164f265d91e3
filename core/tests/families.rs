//! Metadata of each family to its `Config`, and what is refused on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/writer.rs"]
mod writer;

use kinglet::gguf::Gguf;
use kinglet::model::{Config, RopeConfig, config};
use kinglet::ops::{Activation, Pairing};
use kinglet::{Error, Result};
use writer::Writer;

/// The smallest complete header of a family: width 64, 4 heads, 2 key/value heads, 3 tokens.
fn base(architecture: &str) -> Writer {
    let key = |name: &str| format!("{architecture}.{name}");
    let writer = Writer::default()
        .str("general.architecture", architecture)
        .u32(&key("block_count"), 7)
        .u32(&key("embedding_length"), 64)
        .u32(&key("feed_forward_length"), 96)
        .u32(&key("context_length"), 256)
        .u32(&key("attention.head_count"), 4)
        .u32(&key("attention.head_count_kv"), 2)
        .f32(&key("attention.layer_norm_rms_epsilon"), 1e-6)
        .strings("tokenizer.ggml.tokens", &["a", "b", "c"]);
    let writer = if architecture == "gemma3" { writer.u32("gemma3.attention.sliding_window", 8) } else { writer };
    writer.zeros("token_embd.weight", &[64, 3])
}

/// The same without a key.
fn without(mut writer: Writer, key: &str) -> Writer {
    let before = writer.pairs.len();
    writer.pairs.retain(|(name, _, _)| name != key.as_bytes());
    assert_eq!(writer.pairs.len() + 1, before, "no key {key}");
    writer
}

fn read(writer: &Writer) -> Result<Config> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), writer.bytes()).unwrap();
    config(&Gguf::open(file.path()).unwrap())
}

#[test]
fn llama() {
    let c = read(&base("llama")).unwrap();
    assert_eq!((c.layers, c.width, c.heads, c.kv_heads, c.head_dim), (7, 64, 4, 2, 16));
    assert_eq!((c.ffn, c.vocab, c.context, c.norm_eps), (96, 3, 256, 1e-6));
    assert_eq!(c.rope, RopeConfig { base: 10_000.0, dims: 16, scale: 1.0 });
    assert_eq!((c.pairing, c.activation), (Pairing::Adjacent, Activation::Silu));
    assert_eq!((c.qkv_bias, c.qk_norm, c.post_norms, c.rope_factors), (false, false, false, false));
    assert_eq!((c.window, c.embed_scale, c.attention_scale), (None, 1.0, 0.25));
    assert!(c.tied_output && (0..7).all(|layer| c.is_global(layer)));

    let c = read(&base("llama").zeros("output.weight", &[64, 3]).zeros("rope_freqs.weight", &[8])).unwrap();
    assert!(!c.tied_output && c.rope_factors);
    let c = read(&base("llama").u32("llama.rope.dimension_count", 8).u32("llama.attention.key_length", 32)).unwrap();
    assert_eq!((c.rope.dims, c.head_dim), (8, 32), "partial rope");
    let c = read(&without(base("llama"), "llama.attention.head_count_kv")).unwrap();
    assert_eq!(c.kv_heads, 4, "as many as query heads");
    let c = read(&without(base("llama"), "tokenizer.ggml.tokens").u32("llama.vocab_size", 3)).unwrap();
    assert_eq!(c.vocab, 3);
}

#[test]
fn qwen() {
    let two = read(&base("qwen2")).unwrap();
    assert_eq!((two.pairing, two.qkv_bias, two.qk_norm), (Pairing::Halves, true, false));
    let three = read(&base("qwen3")).unwrap();
    assert_eq!((three.pairing, three.qkv_bias, three.qk_norm), (Pairing::Halves, false, true));
}

#[test]
fn gemma3() {
    let c = read(&base("gemma3").f32("gemma3.rope.freq_base", 1e6)).unwrap();
    assert_eq!((c.pairing, c.activation), (Pairing::Halves, Activation::GeluTanh));
    assert_eq!((c.qkv_bias, c.qk_norm, c.post_norms), (false, true, true));
    assert_eq!((c.embed_scale, c.attention_scale, c.window), (8.0, 0.25, Some(8)));
    assert_eq!((c.rope.base, c.local_rope.base), (1e6, 1e4));
    assert_eq!((0..7).filter(|layer| c.is_global(*layer)).collect::<Vec<_>>(), [5]);
    assert_eq!((c.attention_softcap, c.logit_softcap), (None, None));

    let scaled = base("gemma3")
        .str("gemma3.rope.scaling.type", "linear")
        .f32("gemma3.rope.scaling.factor", 8.0)
        .f32("gemma3.rope.freq_base_swa", 5e3)
        .u32("gemma3.attention.sliding_window_pattern", 2)
        .f32("gemma3.final_logit_softcapping", 30.0);
    let c = read(&scaled).unwrap();
    assert_eq!((c.rope.scale, c.local_rope.scale, c.local_rope.base), (0.125, 1.0, 5e3), "local layers keep theirs");
    assert!(c.is_global(1) && !c.is_global(2));
    assert_eq!(c.logit_softcap, Some(30.0));

    let mut large = without(base("gemma3"), "gemma3.block_count").u32("gemma3.attention.key_length", 4);
    large = large.u32("gemma3.block_count", 62);
    assert_eq!(read(&large).unwrap().attention_scale, 0.25, "27B: of the width, not of the head");
    assert_eq!(read(&base("gemma3").u32("gemma3.attention.key_length", 4)).unwrap().attention_scale, 0.5);
}

#[test]
fn rope_scaling() {
    let scale = |writer: Writer| read(&writer).unwrap().rope.scale;
    let with = |kind: &str| base("llama").str("llama.rope.scaling.type", kind);
    assert_eq!(scale(base("llama").f32("llama.rope.scaling.factor", 4.0)), 0.25);
    assert_eq!(scale(base("llama").f32("llama.rope.scale_linear", 2.0)), 0.5);
    assert_eq!(scale(with("linear")), 1.0);
    assert_eq!(scale(with("none").f32("llama.rope.scaling.factor", 4.0)), 1.0);
}

#[test]
fn an_unknown_architecture_lists_the_known_ones() {
    let error = read(&base("mamba")).unwrap_err();
    let Error::UnsupportedArchitecture { name, known } = error else { panic!("{error}") };
    assert_eq!((name.as_str(), known.as_str()), ("mamba", "gemma3, llama, qwen2, qwen3"));
}

#[test]
fn wrong_metadata_names_its_key() {
    let replace = |key: &str| without(base("llama"), key);
    let cases = [
        ("general.architecture", without(base("llama"), "general.architecture"), "missing"),
        ("llama.block_count", replace("llama.block_count"), "missing"),
        ("llama.block_count", replace("llama.block_count").u32("llama.block_count", 0), "is 0"),
        ("llama.block_count", replace("llama.block_count").u32("llama.block_count", 1025), "no model"),
        ("llama.block_count", replace("llama.block_count").str("llama.block_count", "7"), "expected"),
        (
            "llama.embedding_length",
            replace("llama.embedding_length").u32("llama.embedding_length", 1 << 30),
            "expected",
        ),
        ("llama.embedding_length", replace("llama.embedding_length"), "missing"),
        ("llama.feed_forward_length", replace("llama.feed_forward_length"), "missing"),
        ("llama.context_length", replace("llama.context_length").u32("llama.context_length", 0), "is 0"),
        (
            "llama.attention.head_count",
            replace("llama.attention.head_count").u32("llama.attention.head_count", 0),
            "is 0",
        ),
        (
            "llama.attention.head_count",
            replace("llama.attention.head_count").u32("llama.attention.head_count", 6),
            "divide",
        ),
        (
            "llama.attention.head_count_kv",
            replace("llama.attention.head_count_kv").u32("llama.attention.head_count_kv", 3),
            "divide",
        ),
        ("llama.attention.key_length", base("llama").u32("llama.attention.key_length", 0), "is 0"),
        ("llama.attention.head_count", base("llama").u32("llama.attention.key_length", 1 << 24), "columns"),
        ("llama.attention.value_length", base("llama").u32("llama.attention.value_length", 8), "two sizes"),
        (
            "llama.attention.layer_norm_rms_epsilon",
            replace("llama.attention.layer_norm_rms_epsilon").f32("llama.attention.layer_norm_rms_epsilon", f32::NAN),
            "above 0",
        ),
        ("llama.rope.dimension_count", base("llama").u32("llama.rope.dimension_count", 7), "even"),
        ("llama.rope.dimension_count", base("llama").u32("llama.rope.dimension_count", 18), "even"),
        ("llama.rope.freq_base", base("llama").f32("llama.rope.freq_base", -1.0), "above 0"),
        ("llama.rope.scaling.factor", base("llama").f32("llama.rope.scaling.factor", 0.0), "above 0"),
        ("llama.rope.scaling.type", base("llama").str("llama.rope.scaling.type", "yarn"), "yarn"),
        ("llama.expert_count", base("llama").u32("llama.expert_count", 8), "another model"),
        ("llama.attention.scale", base("llama").f32("llama.attention.scale", 0.1), "another model"),
        ("llama.attention.causal", base("llama").bool("llama.attention.causal", false), "encoder"),
        ("tokenizer.ggml.tokens", replace("tokenizer.ggml.tokens").strings("tokenizer.ggml.tokens", &["a"]), "3 rows"),
        ("llama.vocab_size", replace("tokenizer.ggml.tokens"), "missing"),
        ("llama.vocab_size", replace("tokenizer.ggml.tokens").u32("llama.vocab_size", 4), "3 rows"),
        ("gemma3.attention.sliding_window", without(base("gemma3"), "gemma3.attention.sliding_window"), "missing"),
    ];
    for (key, writer, part) in cases {
        match read(&writer) {
            Err(Error::Metadata { key: found, what }) => {
                assert_eq!(found, key, "{what}");
                assert!(what.contains(part), "{key}: {what:?} without {part:?}");
            }
            other => panic!("{key}, {part}: {other:?}"),
        }
    }
}

#[test]
fn a_model_without_an_embedding_is_incomplete() {
    let mut writer = base("llama");
    writer.tensors.clear();
    assert!(matches!(read(&writer), Err(Error::MissingTensor { name }) if name == "token_embd.weight"));
}
