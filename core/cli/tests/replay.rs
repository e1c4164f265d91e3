//! `replay` as a process.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{pipe, run, tiny};
use serde_json::Value;

/// What `diverge --json` says of a bad driver on the second of two CPUs.
fn report(model: &str, inject: &str) -> Value {
    let args = ["diverge", model, "--ids", "5,6,7,8,9", "--tokens", "3", "--a", "cpu", "--b", "cpu", "--json"];
    run(&[&args[..], &["--inject", inject]].concat()).json()
}

#[test]
fn a_report_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let file = path.to_str().unwrap();
    let model = tiny("llama-q8_0");
    let report = report(&model, "tile@blk.1.ffn_down");
    for field in ["node", "position", "tokens", "wanted", "rows", "columns", "inputs", "a", "b"] {
        assert!(!report["replay"][field].is_null(), "{field}: {report}");
    }
    std::fs::write(&path, report.to_string()).unwrap();
    let answer = run(&["replay", file, "--model", &model, "--json"]).json();
    assert_eq!((answer["guilty"].as_str(), answer["inputs"].as_str()), (Some("b"), Some("report")), "{answer}");
    assert_eq!((answer["node"].as_str(), answer["class"].as_str()), (Some("blk.1.ffn_down"), Some("tile")));
    assert_eq!(answer["model_sha256"], report["model_sha256"]);
    assert!(answer["a"]["wrong"] == false && answer["b"]["wrong"] == true && answer["evidence"].is_null(), "{answer}");
    for field in ["kind", "detail", "activations", "kv", "difference"] {
        assert!(!answer["b"][field].is_null(), "{field}: {answer}");
    }
    let sides = answer["sides"].as_array().unwrap();
    let devices: Vec<&str> = sides.iter().map(|side| side["device"].as_str().unwrap()).collect();
    assert_eq!(devices, ["reference", "cpu", "gpu"]);
    for side in &sides[..2] {
        let same = (side["same_as_a"].as_bool(), side["same_as_b"].as_bool());
        assert!(same == (Some(true), Some(false)) && side["wrong"] == false && side["error"].is_null(), "{side}");
        assert!(side["difference"]["worst"].as_f64().unwrap() < 1e-3 && side["ms"].is_number(), "{side}");
    }

    let text = run(&["replay", file, "--model", &model, "--gpu-adapter", "no such card"]).stdout();
    assert!(text.contains("guilty: B, the cpu; this machine has no GPU that could be asked"), "{text}");
    let piped = pipe(&["replay", "-", "--model", &model, "--json"], report.to_string().as_bytes()).json();
    assert_eq!(piped["guilty"], "b");
}

#[test]
fn without_inputs_it_says_so() {
    let model = tiny("llama-q8_0");
    let ask = |inject: &str| {
        let mut report = report(&model, inject);
        report.as_object_mut().unwrap().remove("replay");
        pipe(&["replay", "-", "--model", &model, "--json"], report.to_string().as_bytes()).json()
    };
    let answer = ask("tile@blk.1.ffn_down");
    assert_eq!((answer["guilty"].as_str(), answer["inputs"].as_str()), (Some("unknown"), Some("made")), "{answer}");
    let answer = ask("refused@blk.1.ffn_down");
    assert_eq!(answer["guilty"], "b", "{answer}");
    assert!(answer["evidence"].as_str().unwrap().contains("an error instead of a value"), "{answer}");
    let slow = report(&model, "slow@blk.1.attn_norm");
    let text = pipe(&["replay", "-", "--model", &model], slow.to_string().as_bytes()).stdout();
    assert!(text.contains("The report has no inputs") && text.contains("guilty: B"), "{text}");
}

#[test]
fn what_is_no_report_of_this_model_is_an_error() {
    let (model, other) = (tiny("llama-q8_0"), tiny("llama-q4_0"));
    let report = report(&model, "zeros@output_norm");
    let of_other = pipe(&["replay", "-", "--model", &other, "--json"], report.to_string().as_bytes());
    assert_eq!(of_other.error_kind(), "option");
    let theirs = report["model_sha256"].as_str().unwrap();
    assert!(of_other.stderr().contains(theirs) && of_other.stderr().contains("llama-q4_0"), "{}", of_other.stderr());

    let text = report.to_string();
    let mut clean = report.clone();
    clean["first_bad"] = Value::Null;
    for (wrong, field) in
        [("", "JSON"), ("{}", "first_bad"), (&text[..text.len() / 2], "JSON"), (&clean.to_string(), "first_bad")]
    {
        let ran = pipe(&["replay", "-", "--model", &model, "--json"], wrong.as_bytes());
        assert_eq!(ran.error_kind(), "report", "{wrong:.40}");
        assert!(ran.stderr().contains(field), "{wrong:.40}: {}", ran.stderr());
    }
    let nowhere = ["/nowhere/report.json", "--model", "/nowhere/model.gguf"];
    assert_eq!(run(&["replay", nowhere[0], "--model", &model, "--json"]).error_kind(), "io");
    assert_eq!(run(&[&["replay", "--json"], &nowhere[..]].concat()).error_kind(), "io");
    run(&["replay", "-"]).usage();
    run(&["replay", "-", "--model", &model, "--repeats", "0"]).usage();
    assert!(run(&["replay", "--help"]).stdout().contains("Examples:"));
}
