//! `kinglet devices` on the machine's GPU: Mesa's software Vulkan where there is no other. Without any these tests
//! fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::run;

#[test]
fn the_corpus_is_tried_on_one_device() {
    let answer = run(&["devices", "--corpus", "--json"]).json();
    assert_eq!(answer["device"]["usable"], true);
    let corpus = answer["corpus"].as_array().unwrap();
    assert!(corpus.len() > 15);
    for entry in corpus {
        let outcome = entry["outcome"].as_str().unwrap();
        assert_eq!(entry["why"].is_null(), outcome == "passed", "{entry}");
        assert!(["passed", "failed", "refused", "lost", "skipped"].contains(&outcome), "{entry}");
        assert!(!entry["what"].as_str().unwrap().is_empty(), "{entry}");
        assert!(entry["sources"][0].as_str().unwrap().starts_with("https://"), "{entry}");
    }
    // Every entry has a line, and the last line counts them.
    let name = answer["device"]["name"].as_str().unwrap();
    let ran = run(&["devices", "--corpus", "--gpu-adapter", name, "--verbose"]);
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    for entry in corpus {
        let (name, outcome) = (entry["name"].as_str().unwrap(), entry["outcome"].as_str().unwrap());
        let line = ran.stdout().lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
        assert!(line.contains(outcome), "{line}");
        assert!(ran.stderr().contains(&format!("gpu corpus: {name}\n")), "{}", ran.stderr());
    }
    assert!(ran.stdout().lines().last().unwrap().contains(" passed"), "{}", ran.stdout());
}

#[test]
fn the_corpus_needs_a_device() {
    assert_eq!(run(&["devices", "--corpus", "--gpu-adapter", "none such", "--json"]).error_kind(), "no_gpu");
    let listed = run(&["devices", "--gpu-adapter", "none such", "--json"]).json();
    assert!(listed["adapters"].as_array().unwrap().is_empty() && listed["reasonNoGpu"].is_string(), "{listed}");
    run(&["devices", "--again"]).usage();
}
