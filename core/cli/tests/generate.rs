//! `run` and `chat` as processes.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{ids, json_file, list, pipe, run, tiny};
use serde_json::Value;

fn base<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--model", model, "--device", "reference"], more].concat()
}

#[test]
fn all_fields_of_run() {
    let model = tiny("llama-f32");
    let answer = run(&base(&model, &["--ids", "5 6 7", "--max-tokens", "6", "--temperature", "0", "--json"])).json();
    assert!(answer["text"].is_string());
    let count = ids(&answer["ids"]).len();
    assert!((1..=6).contains(&count));
    assert_eq!(answer["stop"], if count == 6 { "max_tokens" } else { "eos" });
    let stats = &answer["stats"];
    assert_eq!(stats["prompt_tokens"], 3);
    assert_eq!(stats["tokens"], count);
    assert_eq!(stats["device"], "reference");
    for field in ["ttft_ms", "prefill_tps", "decode_tps", "peak_rss_bytes"] {
        assert!(stats[field].as_f64().unwrap() > 0.0, "{field}: {stats}");
    }
}

#[test]
fn greedy_takes_the_golden_best() {
    let goldens = json_file("tiny/goldens.json");
    for file in ["tiny-gemma3-f32.gguf", "tiny-llama-f32.gguf", "tiny-qwen3-f32.gguf"] {
        let golden = goldens["models"].as_array().unwrap().iter().find(|model| model["file"] == file).unwrap();
        let prompt = list(&golden["ids"]);
        let model = common::data("tiny").join(file).display().to_string();
        let args = base(&model, &["--ids", &prompt, "--max-tokens", "1", "--temperature", "0", "--json"]);
        let best = golden["argmax"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(run(&args).json()["ids"], Value::Array(vec![best]), "{file}");
    }
}

#[test]
fn the_same_seed_gives_the_same_ids() {
    let model = tiny("qwen3-f32");
    let with = |seed: &str| {
        let more = ["--ids", "5,6", "--temperature", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0"];
        run(&base(&model, &[&more[..], &["--max-tokens", "12", "--json", "--seed", seed]].concat())).json()["ids"]
            .clone()
    };
    let first = with("1");
    assert_eq!(first, with("1"));
    assert!((2..8).any(|seed| with(&seed.to_string()) != first));
}

#[test]
fn bias_decides() {
    let model = tiny("llama-f32");
    let args = ["--ids", "5,6", "--logit-bias", "70=1000", "--temperature", "0", "-n", "3", "--json"];
    assert_eq!(ids(&run(&base(&model, &args)).json()["ids"]), [70, 70, 70]);
}

#[test]
fn the_text_streams_to_standard_output_and_facts_to_standard_error() {
    let model = tiny("llama-f32");
    let args = ["--prompt", "the man", "--temperature", "0", "--max-tokens", "8"];
    let ran = run(&base(&model, &args));
    assert_eq!(ran.status(), 0);
    let json = run(&base(&model, &[&args[..], &["--json"]].concat())).json();
    assert_eq!(ran.stdout().trim_end_matches('\n'), json["text"].as_str().unwrap().trim_end_matches('\n'));
    for fact in ["prompt tokens", "first token", "prefill", "decode", "peak", "reference", "stopped: "] {
        assert!(ran.stderr().contains(fact), "{fact}: {}", ran.stderr());
    }
    assert_eq!(run(&base(&model, &[&args[..], &["--quiet"]].concat())).stderr(), "");
}

#[test]
fn a_full_context_is_a_stop_and_no_error() {
    let model = tiny("llama-f32");
    let args = ["--ids", "5,6,7", "--ctx", "8", "--temperature", "0", "--logit-bias", "70=1000", "--json"];
    let answer = run(&base(&model, &args)).json();
    assert_eq!(answer["stop"], "context_full");
    let args = ["--ids", "5,6,7", "--ctx", "2", "--json"];
    assert_eq!(run(&base(&model, &args)).error_kind(), "context_full");
}

#[test]
fn chat_works_from_a_pipe() {
    let model = tiny("gemma3-f32");
    let args =
        ["chat", "--model", &model, "--device", "reference", "--max-tokens", "4", "--temperature", "0", "--json"];
    let ran = pipe(&args, b"hello\n\nand again\n/reset\nhello\n/quit\nnever\n");
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    let answers: Vec<Value> = ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3);
    assert!(answers[1]["stats"]["prompt_tokens"].as_u64() > answers[0]["stats"]["prompt_tokens"].as_u64());
    assert!(answers[1]["stats"]["cached_tokens"].as_u64().unwrap() > 0, "{}", answers[1]);
    assert_eq!(answers[2]["ids"], answers[0]["ids"], "a conversation that was forgotten shows");
    assert_eq!(answers[2]["stats"]["prompt_tokens"], answers[0]["stats"]["prompt_tokens"]);
}

#[test]
fn a_chat_template_of_the_callers_own() {
    let model = tiny("gemma3-f32");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.jinja");
    let path = path.to_str().unwrap();
    let chat = ["chat", "--model", &model, "--device", "reference", "--max-tokens", "2", "--chat-template", path];
    let prompt_tokens = |template: &str| {
        std::fs::write(path, template).unwrap();
        let answer = pipe(&[&chat[..], &["--json"]].concat(), b"hello\n").json();
        answer["stats"]["prompt_tokens"].as_u64().unwrap()
    };
    let bare = prompt_tokens("{{ messages[0].content }}");
    // One more token for the end of a turn, which the template may write though the text may not.
    assert_eq!(prompt_tokens("{{ messages[0].content }}<end_of_turn>"), bare + 1);
    std::fs::write(path, "{% for").unwrap();
    assert_eq!(pipe(&[&chat[..], &["--json"]].concat(), b"hello\n").error_kind(), "template");
    std::fs::remove_file(path).unwrap();
    assert_eq!(pipe(&[&chat[..], &["--json"]].concat(), b"hello\n").error_kind(), "io");
}

#[test]
fn every_sampling_option_is_taken() {
    let model = tiny("llama-f32");
    let more = ["--top-k", "5", "--top-p", "0.9", "--min-p", "0.1", "--repeat-penalty", "1.2", "--seed", "3"];
    let also = ["--presence-penalty", "0.5", "--frequency-penalty", "-0.5", "--temperature", "0.7", "--stop", "zzz"];
    let args = [&["--ids", "5,6", "-n", "4", "--json"][..], &more, &also].concat();
    assert!(ids(&run(&base(&model, &args)).json()["ids"]).len() <= 4);
    for wrong in [["--temperature", "-1"], ["--top-p", "0"], ["--min-p", "2"], ["--repeat-penalty", "0"]] {
        let [name, value] = wrong;
        let ran = run(&base(&model, &["--ids", "5", "--json", &format!("{name}={value}")]));
        assert_eq!(ran.error_kind(), "option", "{wrong:?}");
    }
    // The answer to ids 5,6 that is certain, up to a stop string.
    let args = ["--ids", "5,6", "--logit-bias", "70=1000", "--temperature", "0", "-n", "9", "--json"];
    let piece = run(&["detokenize", "--model", &model, "--ids", "70", "--json"]).json()["text"].clone();
    let stop = format!("{0}{0}", piece.as_str().unwrap());
    let answer = run(&base(&model, &[&args[..], &["--stop", &stop]].concat())).json();
    assert_eq!((&answer["stop"], &answer["text"]), (&Value::from("stop_string"), &Value::from("")));
    assert_eq!(answer["stats"]["tokens"], 2);
}

#[test]
fn the_result_does_not_depend_on_threads_and_chunks() {
    let model = tiny("llama-q4_0");
    let of = |more: &[&str]| {
        let args = ["run", "--model", &model, "--device", "cpu", "--ids", "5,6,7,8,9,10,11", "-n", "8", "--json"];
        run(&[&args[..], &["--temperature", "0"], more].concat()).json()["ids"].clone()
    };
    let one = of(&["--threads", "1"]);
    for more in [&["--threads", "3"][..], &["--prefill-chunk", "1"], &["--prefill-chunk", "3", "--threads", "2"]] {
        assert_eq!(of(more), one, "{more:?}");
    }
    for more in [&["--activations", "int8"][..], &["--kv", "f32"], &["--ctx", "16"]] {
        assert!(!ids(&of(more)).is_empty(), "{more:?}");
    }
}
