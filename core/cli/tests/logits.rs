//! `logits` against the goldens of the tiny models.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{data, json_file, list, run, tiny};
use serde_json::{Value, json};

const MODELS: [&str; 4] =
    ["tiny-gemma3-q4_0.gguf", "tiny-llama-mix.gguf", "tiny-qwen3-w256-q6_k.gguf", "tiny-gemma3-w256-mix.gguf"];

fn logits(file: &str, ids: &str, more: &[&str]) -> Value {
    let model = data("tiny").join(file).display().to_string();
    let args = [&["logits", "--model", &model, "--device", "reference", "--ids", ids, "--json"], more].concat();
    run(&args).json()
}

fn close(a: &Value, b: &Value, tolerance: f64) -> bool {
    (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() <= tolerance
}

#[test]
fn every_position_of_the_goldens() {
    let goldens = json_file("tiny/goldens.json");
    let top5 = json_file("tiny/top5.json");
    for file in MODELS {
        let golden = goldens["models"].as_array().unwrap().iter().find(|model| model["file"] == file).unwrap();
        let tolerance = if file.contains("gemma3") { 0.01 } else { 1e-3 };
        let count = golden["ids"].as_array().unwrap().len();
        let positions: Vec<_> = (0..count).map(|position| position.to_string()).collect();
        let answer = logits(file, &list(&golden["ids"]), &["--top", "5", "--positions", &positions.join(",")]);
        let rows = answer["rows"].as_array().unwrap();
        assert_eq!(rows.len(), count);
        for (position, row) in rows.iter().enumerate() {
            assert_eq!(row["position"], position);
            assert!(close(&row["logsumexp"], &golden["lse"][position], tolerance), "{file} {position}: {row}");
            let wanted = top5[file][position].as_array().unwrap();
            let found = row["top"].as_array().unwrap();
            assert_eq!(found.len(), 5);
            for (found, wanted) in found.iter().zip(wanted) {
                assert!(close(&found[1], &wanted[1], tolerance), "{file} {position}: {row}");
            }
            assert_eq!(found[0][0], golden["argmax"][position], "{file} {position}");
        }
    }
}

#[test]
fn rows_come_as_asked() {
    let ids = "2,112,265,20,217,234,292,233";
    let file = "tiny-gemma3-q4_0.gguf";
    let all = logits(file, ids, &["--positions", "0,1,2,3,4,5,6,7", "--at", "0,5,319"]);
    let some = logits(file, ids, &["--positions", "6,0,6,3", "--at", "0,5,319"]);
    let rows = some["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for (row, position) in rows.iter().zip([6, 0, 6, 3]) {
        assert_eq!(*row, all["rows"][position], "the row of {position} depends on what else is asked");
        assert_eq!(row["at"].as_object().unwrap().len(), 3);
        assert!(["0", "5", "319"].iter().all(|id| row["at"][id].is_f64()), "{row}");
    }
    let last = logits(file, ids, &["--at", "0,5,319"]);
    assert_eq!(last["rows"], json!([all["rows"][7]]));
    let none = logits(file, ids, &["--top", "0"]);
    assert_eq!((&none["rows"][0]["top"], &none["rows"][0]["at"]), (&json!([]), &json!({})));
}

#[test]
fn best_first_and_at_agrees_with_top() {
    let answer = logits("tiny-llama-mix.gguf", "5,6,7", &["--top", "1000"]);
    let top = answer["rows"][0]["top"].as_array().unwrap();
    assert!(top.windows(2).all(|pair| pair[0][1].as_f64() >= pair[1][1].as_f64()));
    let sum: f64 = top.iter().map(|pair| pair[1].as_f64().unwrap().exp()).sum();
    assert!((sum.ln() - answer["rows"][0]["logsumexp"].as_f64().unwrap()).abs() < 1e-5);
    let id = top[17][0].to_string();
    let at = logits("tiny-llama-mix.gguf", "5,6,7", &["--at", &id]);
    assert_eq!(at["rows"][0]["at"][&id], top[17][1]);
}

#[test]
fn what_is_not_there_is_an_error() {
    let model = tiny("llama-f32");
    let base = ["logits", "--model", &model, "--device", "reference", "--json"];
    let kind = |more: &[&str]| run(&[&base, more].concat()).error_kind();
    assert_eq!(kind(&["--ids", "1,2,3", "--positions", "3"]), "option");
    assert_eq!(kind(&["--ids", ""]), "option");
    assert_eq!(kind(&["--ids", "1,70000"]), "token_id");
    assert_eq!(kind(&["--ids", "1", "--at", "70000"]), "token_id");
    assert_eq!(kind(&["--ids", "1,2,3", "--ctx", "2"]), "context_full");
    assert_eq!(kind(&["--ids-file", "/nowhere/ids"]), "io");
}
