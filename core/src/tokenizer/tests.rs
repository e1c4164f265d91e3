//! Vocabularies made here, good and bad; words of the pre-tokenizers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::parts::Parts;
use super::split::Splitter;
use super::{Decoder, Special, Tokenizer};

const BYTES: usize = 256;

/// An SPM vocabulary: `<unk>`, `<s>`, `</s>`, the bytes, then the given pieces with their scores and types.
fn spm<'a>(bytes: &'a [String], pieces: &[(&'a str, f32, u32)]) -> Parts<'a> {
    let mut tokens = vec!["<unk>", "<s>", "</s>"];
    tokens.extend(bytes.iter().map(String::as_str));
    tokens.extend(pieces.iter().map(|piece| piece.0));
    let mut kinds = vec![2, 3, 3];
    kinds.extend([6; BYTES]);
    kinds.extend(pieces.iter().map(|piece| piece.2));
    let mut scores = vec![0.0; 3 + BYTES];
    scores.extend(pieces.iter().map(|piece| piece.1));
    Parts {
        model: "llama",
        tokens,
        kinds: Some(kinds),
        scores: Some(scores),
        add_space_prefix: Some(false),
        bos: Some(1),
        eos: Some(2),
        unknown: Some(0),
        ..Parts::default()
    }
}

fn bytes() -> Vec<String> {
    (0..BYTES).map(|byte| format!("<0x{byte:02X}>")).collect()
}

/// A byte-level vocabulary of a few letters.
fn bpe<'a>() -> Parts<'a> {
    Parts {
        model: "gpt2",
        pre: Some("gpt-2"),
        tokens: vec!["<|endoftext|>", "a", "b", "c", "Ġ", "ab", "abc", "Ġa", "<tag>", "bc"],
        kinds: Some(vec![3, 1, 1, 1, 1, 1, 1, 1, 4, 1]),
        merges: Some(vec!["a b", "ab c", "Ġ a", "b c"]),
        eos: Some(0),
        ..Parts::default()
    }
}

fn texts(tokenizer: &Tokenizer, text: &str, special: Special) -> Vec<String> {
    let ids = tokenizer.encode(text, special).unwrap();
    ids.iter().map(|&id| tokenizer.decode_text(&[id]).unwrap()).collect()
}

#[test]
fn spm_merges_the_best_score_first_and_the_leftmost_of_equals() {
    let bytes = bytes();
    let pieces = [("a", 0.0, 1), ("b", 0.0, 1), ("ab", -2.0, 1), ("ba", -1.0, 1), ("aa", -3.0, 1), ("aba", -4.0, 1)];
    let tokenizer = Tokenizer::new(&spm(&bytes, &pieces)).unwrap();
    assert_eq!(texts(&tokenizer, "abab", Special::Plain), ["aba", "b"]);
    assert_eq!(texts(&tokenizer, "aaa", Special::Plain), ["aa", "a"]);
    assert_eq!(texts(&tokenizer, "aba", Special::Plain), ["aba"]);
    assert_eq!(tokenizer.encode("é", Special::Plain).unwrap(), [3 + 0xc3, 3 + 0xa9]);
    // Zeros of either sign are equal: the leftmost pair merges.
    let pieces = [("a", 0.0, 1), ("b", 0.0, 1), ("ab", -0.0, 1), ("ba", 0.0, 1)];
    assert_eq!(texts(&Tokenizer::new(&spm(&bytes, &pieces)).unwrap(), "aba", Special::Plain), ["ab", "a"]);
}

#[test]
fn spm_writes_spaces_and_puts_one_in_front_where_asked() {
    let bytes = bytes();
    let mut parts = spm(&bytes, &[("▁", 0.0, 1), ("a", 0.0, 1), ("▁a", -1.0, 1), ("  ", 0.0, 4)]);
    let tokenizer = Tokenizer::new(&parts).unwrap();
    assert_eq!(texts(&tokenizer, "a a  a", Special::Plain), ["a", " a", "  ", "a"]);
    parts.add_space_prefix = None;
    let tokenizer = Tokenizer::new(&parts).unwrap();
    assert_eq!(texts(&tokenizer, "a a", Special::Plain), [" a", " a"]);
    assert!(tokenizer.encode("", Special::Plain).unwrap().is_empty());
    assert!(tokenizer.adds_bos());
}

#[test]
fn plain_text_never_merges_into_a_control_token() {
    let bytes = bytes();
    // `<s>` can be reached from `<` and `s>`, as far as texts go.
    let pieces = [("<", 0.0, 1), ("s", 0.0, 1), (">", 0.0, 1), ("s>", -1.0, 1), ("<unk", -1.0, 1)];
    let tokenizer = Tokenizer::new(&spm(&bytes, &pieces)).unwrap();
    assert_eq!(texts(&tokenizer, "<s>", Special::Plain), ["<", "s>"]);
    assert_eq!(tokenizer.encode("<s>", Special::Parse).unwrap(), [1]);
    assert!(!tokenizer.encode("<0x41>", Special::Parse).unwrap().contains(&(3 + 0x41)));

    let mut parts = bpe();
    parts.kinds = Some(vec![3, 1, 1, 1, 1, 1, 3, 1, 4, 1]);
    let tokenizer = Tokenizer::new(&parts).unwrap();
    assert_eq!(texts(&tokenizer, "abc", Special::Plain), ["ab", "c"]);
    assert_eq!(tokenizer.encode("abc", Special::Parse).unwrap(), [6]);
}

#[test]
fn bpe_merges_within_words_and_matches_user_defined_tokens_first() {
    let tokenizer = Tokenizer::new(&bpe()).unwrap();
    assert_eq!(texts(&tokenizer, "abc ab<tag>bc", Special::Plain), ["abc", " ", "ab", "<tag>", "bc"]);
    assert_eq!(texts(&tokenizer, "a<|endoftext|>", Special::Parse), ["a", "<|endoftext|>"]);
    assert!(tokenizer.is_end(0) && !tokenizer.adds_bos() && tokenizer.bos().is_none());
}

#[test]
fn llama_bpe_takes_whole_words_from_the_vocabulary() {
    let mut parts = bpe();
    parts.merges = Some(vec!["a b"]);
    assert_eq!(texts(&Tokenizer::new(&parts).unwrap(), "abc", Special::Plain), ["ab", "c"]);
    parts.pre = Some("llama-bpe");
    assert_eq!(texts(&Tokenizer::new(&parts).unwrap(), "abc", Special::Plain), ["abc"]);
}

#[test]
fn streams_hold_back_incomplete_characters() {
    let bytes = bytes();
    let tokenizer = Tokenizer::new(&spm(&bytes, &[])).unwrap();
    let mut decoder = Decoder::new(&tokenizer);
    let mut push = |byte: u32| decoder.push(3 + byte).unwrap();
    // The first three bytes of an emoji, its last, a lone continuation, an incomplete one that a letter ends.
    let found = [0xf0, 0x9f, 0x98, 0x80, 0x80, 0xe2, 0x82, 0x41, 0xc3].map(&mut push);
    assert_eq!(found, ["", "", "", "😀", "\u{fffd}", "", "", "\u{fffd}A", ""]);
    assert_eq!(decoder.finish(), "\u{fffd}");
    assert_eq!(decoder.finish(), "");
}

/// What a broken vocabulary is refused for.
fn refusal(parts: &Parts) -> String {
    match Tokenizer::new(parts) {
        Err(error) => {
            assert_eq!(error.kind(), "tokenizer");
            error.to_string()
        }
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn broken_vocabularies_are_refused_with_the_reason() {
    type Break = fn(&mut Parts);
    let spm_cases: [(Break, &str); 12] = [
        (|p| p.model = "bert", "known ones: llama, gpt2"),
        (|p| p.scores = None, "tokenizer.ggml.scores is missing"),
        (|p| p.scores = Some(vec![0.0]), "scores has 1 entries"),
        (|p| p.scores.as_mut().unwrap()[2] = f32::NAN, "score of token 2 is not a number"),
        (|p| p.kinds = Some(vec![1, 1]), "token_type has 2 entries"),
        (|p| p.kinds.as_mut().unwrap().push(1), "token_type has 261 entries"),
        (|p| p.kinds.as_mut().unwrap()[1] = 99, "token 1 has the unknown type 99"),
        (|p| p.tokens[1] = "<unk>", "tokens 0 and 1 have the same text"),
        (|p| p.tokens[4] = "<0xZZ>", "byte token 4"),
        (|p| p.bos = Some(100_000), "the bos token is 100000"),
        (|p| p.ends = vec![5_000], "the end-of-turn token is 5000"),
        (|p| (p.tokens, p.kinds, p.scores) = (vec![], None, Some(vec![])), "tokenizer.ggml.tokens is empty"),
    ];
    let bytes = bytes();
    for (damage, reason) in spm_cases {
        let mut parts = spm(&bytes, &[("a", 0.0, 1)]);
        damage(&mut parts);
        let found = refusal(&parts);
        assert!(found.contains(reason), "{found}");
    }
    let bpe_cases: [(Break, &str); 6] = [
        (|p| p.merges = None, "tokenizer.ggml.merges is missing"),
        (|p| p.merges = Some(vec!["ab"]), "not two pieces"),
        (|p| p.merges = Some(vec![""]), "not two pieces"),
        (|p| p.merges = Some(vec!["a x"]), "needs \"x\""),
        (|p| p.merges = Some(vec!["c c"]), "needs \"cc\""),
        (|p| p.pre = Some("deepseek-llm"), "known ones: smollm, qwen2, llama-bpe, gpt-2, default"),
    ];
    for (damage, reason) in bpe_cases {
        let mut parts = bpe();
        damage(&mut parts);
        let found = refusal(&parts);
        assert!(found.contains(reason), "{found}");
    }
    let huge = "x".repeat(5_000);
    let mut parts = bpe();
    parts.tokens[3] = &huge;
    assert!(refusal(&parts).contains("token 3 is 5000 bytes long"));
    let mut parts = spm(&bytes, &[]);
    parts.unknown = None;
    (parts.tokens[10], parts.kinds.as_mut().unwrap()[10]) = ("x", 1);
    assert!(refusal(&parts).contains("neither a token for each byte"));
}

#[test]
fn words_are_those_of_the_published_patterns() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tokenizer/splits.json");
    let entries: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for entry in entries.as_array().unwrap() {
        let (pre, text) = (entry["pre"].as_str().unwrap(), entry["text"].as_str().unwrap());
        let mut words = Vec::new();
        Splitter::new(pre)
            .unwrap()
            .split(text, &mut |word| {
                words.push(word);
                Ok(())
            })
            .unwrap();
        let expected: Vec<&str> =
            entry["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(words, expected, "{pre} of {text:?}");
    }
    assert_eq!(entries.as_array().unwrap().len(), 160);
}
