//! `tokenize` and `detokenize` as a process.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{ids, json_file, list, pipe, run, tiny};
use serde_json::{Value, json};

/// The golden strings of one tiny vocabulary: text, ids, bytes as hexadecimal digits.
fn strings(file: &str) -> Vec<Value> {
    let goldens = json_file("tiny/goldens.json");
    let found = goldens["tokenize"].as_array().unwrap().iter().find(|entry| entry["file"] == file).unwrap();
    found["strings"].as_array().unwrap().clone()
}

#[test]
fn golden_strings_there_and_back() {
    for (model, file) in [("gemma3-f32", "tiny-gemma3-f32.gguf"), ("llama-f32", "tiny-llama-f32.gguf")] {
        let strings = strings(file);
        assert!(!strings.is_empty());
        let lines: Vec<_> = strings.iter().map(|entry| entry["text"].to_string()).collect();
        let lines = lines.join("\n");
        let ran = pipe(&["tokenize", "--model", &tiny(model), "--json", "--jsonl"], lines.as_bytes());
        assert_eq!(ran.status(), 0, "{}", ran.stderr());
        let answers: Vec<Value> = ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), strings.len());
        for (answer, golden) in answers.iter().zip(&strings) {
            assert_eq!(answer["ids"], golden["ids"], "{}", golden["text"]);
            assert_eq!(answer["pieces"].as_array().unwrap().len(), ids(&answer["ids"]).len());
        }
        // The output of the one is an input of the other.
        let ran = pipe(&["detokenize", "--model", &tiny(model), "--json", "--jsonl"], ran.stdout().as_bytes());
        assert_eq!(ran.status(), 0, "{}", ran.stderr());
        let answers: Vec<Value> = ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (answer, golden) in answers.iter().zip(&strings) {
            assert_eq!(answer["bytes"], golden["bytes_hex"], "{}", golden["text"]);
        }
    }
}

#[test]
fn standard_input_is_taken_byte_for_byte() {
    let model = tiny("llama-f32");
    for text in ["a", "a\n", "a\n\n", "\n", "", " a ", "a\r\n"] {
        let tokens = pipe(&["tokenize", "--model", &model, "--json"], text.as_bytes()).json();
        let back = run(&["detokenize", "--model", &model, "--json", &format!("--ids={}", list(&tokens["ids"]))]).json();
        assert_eq!(back["text"], text);
        let pieces: String = tokens["pieces"].as_array().unwrap().iter().map(|piece| piece.as_str().unwrap()).collect();
        assert_eq!(pieces, text);
    }
}

#[test]
fn text_output_feeds_the_other_command() {
    let model = tiny("llama-f32");
    let ids = pipe(&["tokenize", "--model", &model], b"the man and the station");
    let text = pipe(&["detokenize", "--model", &model], ids.stdout().as_bytes());
    assert_eq!(text.stdout(), "the man and the station");
}

#[test]
fn bos_comes_first_where_asked() {
    let model = tiny("gemma3-f32");
    let plain = ids(&pipe(&["tokenize", "--model", &model, "--json"], b"the man").json()["ids"]);
    let with = ids(&pipe(&["tokenize", "--model", &model, "--json", "--bos"], b"the man").json()["ids"]);
    assert_eq!(with, [&[2], plain.as_slice()].concat());
}

#[test]
fn special_tokens_only_where_asked() {
    let model = tiny("gemma3-f32");
    let special = pipe(&["tokenize", "--model", &model, "--json", "--special"], b"<bos>").json();
    assert_eq!(special, json!({"ids": [2], "pieces": ["<bos>"]}));
    let plain = pipe(&["tokenize", "--model", &model, "--json"], b"<bos>").json();
    assert!(ids(&plain["ids"]).len() > 1, "{plain}");
}

#[test]
fn ids_in_every_form() {
    let model = tiny("llama-f32");
    let want = run(&["detokenize", "--model", &model, "--json", "--ids", "70,71,72"]).json();
    for args in [&["--ids", "70 71 72"][..], &["--ids", "70", "71", "72"], &["--ids", "70, 71,72"]] {
        let args = [&["detokenize", "--model", &model, "--json"], args].concat();
        assert_eq!(run(&args).json(), want);
    }
    for text in ["70,71,72", "70 71\n72\n", "70\n71\n72"] {
        let args = ["detokenize", "--model", &model, "--json", "--ids-file", "-"];
        assert_eq!(pipe(&args, text.as_bytes()).json(), want);
    }
    run(&["detokenize", "--model", &model, "--ids", "1,x"]).usage();
    let bad = pipe(&["detokenize", "--model", &model, "--json", "--ids-file", "-"], b"1 x");
    assert_eq!(bad.error_kind(), "option");
}

#[test]
fn a_bad_line_gives_an_error_in_its_place() {
    let model = tiny("llama-f32");
    let ran = pipe(&["tokenize", "--model", &model, "--json", "--jsonl"], b"\"a\"\nnot json\n\"b\"\n");
    let lines: Vec<Value> = ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["error"]["kind"], "json");
    assert!(lines[2]["ids"].is_array());
    assert_eq!(ran.status(), 1);
}

#[test]
fn unusable_input_is_an_error() {
    let model = tiny("llama-f32");
    assert_eq!(pipe(&["tokenize", "--model", &model, "--json"], b"\xff\xfe").error_kind(), "text");
    assert_eq!(run(&["detokenize", "--model", &model, "--json", "--ids", "4000000000"]).error_kind(), "token_id");
}
