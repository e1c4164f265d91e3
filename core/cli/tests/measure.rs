//! `eval`, `bench` and `inspect` as processes.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{data, ids, json_file, list, pipe, run, tiny};
use serde_json::Value;

/// Mean negative log-likelihood of `ids[1..]`, by way of `logits`.
fn nll(model: &str, ids: &[u64]) -> f64 {
    let list = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let positions = (0..ids.len() - 1).map(|position| position.to_string()).collect::<Vec<_>>().join(",");
    let args = ["logits", "--model", model, "--device", "reference", "--json", "--ids", &list, "--at", &list];
    let answer = run(&[&args[..], &["--positions", &positions, "--top", "0"]].concat()).json();
    let rows = answer["rows"].as_array().unwrap();
    let one = |row: &Value, id: u64| row["logsumexp"].as_f64().unwrap() - row["at"][id.to_string()].as_f64().unwrap();
    rows.iter().zip(&ids[1..]).map(|(row, id)| one(row, *id)).sum::<f64>()
}

#[test]
fn eval_scores_each_window_from_its_second_id() {
    let goldens = json_file("tiny/goldens.json");
    let golden = &goldens["models"][0];
    let model = data("tiny").join(golden["file"].as_str().unwrap()).display().to_string();
    let all = ids(&golden["ids"]);
    let list = list(&golden["ids"]);
    let args = ["eval", "--model", &model, "--device", "reference", "--ids", &list, "--json"];
    for (window, positions) in [(512, 23), (24, 23), (10, 9 + 9 + 3), (23, 22)] {
        let answer = run(&[&args[..], &["--window", &window.to_string()]].concat()).json();
        assert_eq!(answer["positions"], positions, "{window}");
        let want: f64 = all.chunks(window).filter(|ids| ids.len() > 1).map(|ids| nll(&model, ids)).sum();
        let want = want / f64::from(positions);
        assert!((answer["nll"].as_f64().unwrap() - want).abs() < 1e-5, "{window}: {answer}, {want}");
        assert!((answer["ppl"].as_f64().unwrap() - want.exp()).abs() < 1e-4 * want.exp(), "{window}: {answer}");
        assert!(answer.get("kl_mean").is_none());
    }
    // By the goldens: the logits of position 11 and its log-sum-exp give what the 13th id costs.
    let (ids13, logits) = (&all[..13], golden["logits_pos11"].as_array().unwrap());
    let cost = golden["lse"][11].as_f64().unwrap() - logits[all[12] as usize].as_f64().unwrap();
    assert!((nll(&model, ids13) - nll(&model, &all[..12]) - cost).abs() < 0.02);
}

#[test]
fn eval_against_itself_finds_no_difference() {
    let model = tiny("llama-f32");
    let args =
        ["eval", "--model", &model, "--device", "reference", "--against", "reference", "--ids", "5,6,7,8,9", "--json"];
    let answer = run(&args).json();
    assert_eq!((answer["kl_mean"].as_f64(), answer["kl_max"].as_f64()), (Some(0.0), Some(0.0)));
    assert_eq!(answer["top1"], 1.0);
    assert_eq!(answer["against_nll"], answer["nll"]);
}

#[test]
fn eval_takes_text() {
    let model = tiny("gemma3-f32");
    let args = ["eval", "--model", &model, "--device", "reference", "--text", "-", "--json"];
    let ran = pipe(&args, b"the man and the station");
    let tokens = ids(&pipe(&["tokenize", "--model", &model, "--json"], b"the man and the station").json()["ids"]);
    let with_bos = ran.stderr().contains("with bos");
    assert_eq!(ran.json()["positions"], tokens.len() - 1 + usize::from(with_bos));
    assert_eq!(pipe(&args, b"").error_kind(), "option");
}

#[test]
fn all_fields_of_bench() {
    let model = tiny("llama-f32");
    let args = ["bench", "--model", &model, "--device", "reference", "--threads", "1", "--json"];
    let answer = run(&[&args[..], &["--prefill", "20", "--decode", "5", "--repeat", "3"]].concat()).json();
    for (median, samples) in [("prefill_tps", "prefill_samples"), ("decode_tps", "decode_samples")] {
        let mut all: Vec<f64> = answer[samples].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        all.sort_by(f64::total_cmp);
        assert_eq!(all.len(), 3);
        assert_eq!(answer[median].as_f64(), Some(all[1]));
        assert!(all[0] > 0.0);
    }
    assert!(answer["load_ms"].as_f64().unwrap() > 0.0);
    assert!(answer["peak_rss_bytes"].as_u64().unwrap() > 100_000);
    let only = run(&[&args[..], &["--prefill", "4", "--decode", "0", "--repeat", "1"]].concat()).json();
    assert!(only["decode_tps"].is_null() && only["prefill_tps"].is_f64());
}

#[test]
fn all_fields_of_inspect() {
    let answer = run(&["inspect", "--model", &tiny("gemma3-w256-mix"), "--json", "--ctx", "16"]).json();
    assert_eq!(answer["architecture"], "gemma3");
    assert!(answer["context"].as_u64().unwrap() >= 16);
    let tensors = answer["tensors"].as_array().unwrap();
    let table = tensors.iter().find(|tensor| tensor["name"] == "token_embd.weight").unwrap();
    assert_eq!(ids(&table["shape"])[0], 256);
    assert!(table["type"].is_string() && table["bytes"].as_u64().unwrap() > 0);
    let memory = &answer["memory"];
    let part = |name: &str| memory[name].as_u64().unwrap();
    assert_eq!(part("weights") + part("kv") + part("scratch"), part("total"));
    assert!(part("weights") > 0 && part("kv") > 0);
    assert!(answer["cpu"].is_array());
    let in_formats: u64 = answer["formats"].as_object().unwrap().values().map(|f| f["bytes"].as_u64().unwrap()).sum();
    assert_eq!(in_formats, tensors.iter().map(|tensor| tensor["bytes"].as_u64().unwrap()).sum::<u64>());
    // A longer context takes more.
    let longer = run(&["inspect", "--model", &tiny("gemma3-w256-mix"), "--json", "--ctx", "64"]).json();
    assert!(longer["memory"]["kv"].as_u64().unwrap() > part("kv"));
}

#[test]
fn inspect_for_people() {
    let ran = run(&["inspect", "--model", &tiny("llama-mix"), "--tensors"]);
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    for word in ["general.architecture", "blk.0.attn_q.weight", "formats", "total", "cpu features"] {
        assert!(ran.stdout().contains(word), "{word}: {}", ran.stdout());
    }
}
