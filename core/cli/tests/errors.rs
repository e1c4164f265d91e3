//! Exit statuses and error objects.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{kinglet, run, tiny};

/// Every command with what it needs but the model.
const COMMANDS: [&[&str]; 13] = [
    &["tokenize"],
    &["detokenize", "--ids", "1"],
    &["logits", "--ids", "1"],
    &["run", "--ids", "1"],
    &["eval", "--ids", "1,2"],
    &["bench"],
    &["inspect"],
    &["summarize"],
    &["rewrite"],
    &["extract", "--fields", "name"],
    &["classify", "--labels", "a,b"],
    &["reply"],
    &["chat"],
];

#[test]
fn a_missing_file_is_an_error_of_every_command() {
    for command in COMMANDS {
        let args = [command, &["--model", "/nowhere/model.gguf", "--json"]].concat();
        let ran = run(&args);
        assert_eq!(ran.error_kind(), "io", "{command:?}");
        assert!(ran.stderr().contains("/nowhere/model.gguf"), "{command:?}: {}", ran.stderr());
        // Without --json standard output stays empty.
        let ran = run(&args[..args.len() - 1]);
        assert_eq!((ran.status(), ran.stdout().as_str()), (1, ""), "{command:?}");
    }
}

#[test]
fn a_file_that_is_no_model_is_an_error() {
    let this = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for command in COMMANDS {
        let ran = run(&[command, &["--model", this, "--json"]].concat());
        assert_eq!(ran.error_kind(), "gguf", "{command:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let model = &tiny("llama-f32");
    for command in COMMANDS {
        run(command).usage(); // no model
        run(&[command, &["--model", model, "--no-such-option"]].concat()).usage();
        run(&[command, &["--model", model, "--threads", "0"]].concat()).usage();
        run(&[command, &["--model", model, "--device", "abacus"]].concat()).usage();
    }
    run(&[]).usage();
    run(&["no-such-command"]).usage();
    run(&["run", "--model", model]).usage();
    run(&["run", "--model", model, "--prompt", "a", "--ids", "1"]).usage();
    run(&["eval", "--model", model]).usage();
    run(&["classify", "--model", model]).usage();
    run(&["extract", "--model", model]).usage();
    run(&["run", "--model", model, "--prompt", "a", "--logit-bias", "1"]).usage();
    run(&["run", "--model", model, "--prompt", "a", "--max-tokens", "0"]).usage();
}

#[test]
fn help_teaches_every_command() {
    for command in COMMANDS {
        let ran = run(&[command[0], "--help"]);
        assert_eq!(ran.status(), 0);
        assert!(ran.stdout().contains("Examples:"), "{}", command[0]);
        assert!(ran.stdout().contains("--prefill-chunk"), "{}", command[0]);
    }
}

#[test]
fn what_a_command_is_for_comes_before_what_all_share() {
    for (command, option) in [
        ("summarize", "--style"),
        ("summarize", "--notifications"),
        ("rewrite", "--tone"),
        ("extract", "--fields"),
        ("classify", "--labels"),
        ("run", "--prompt"),
    ] {
        let help = run(&[command, "--help"]).stdout();
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{command}: {text}"));
        assert!(at(option) < at("\nModel:") && at(option) < at("\nSampling:"), "{command} {option}");
    }
}

#[test]
fn the_model_may_come_from_the_environment_or_the_cache_folder() {
    let from_variable =
        kinglet(&["detokenize", "--ids", "70"]).env("KINGLET_MODEL", tiny("llama-f32")).output().unwrap();
    assert!(from_variable.status.success());
    let folder = common::data("tiny");
    let args = ["detokenize", "--model", "tiny-llama-f32.gguf", "--ids", "70"];
    let from_cache = kinglet(&args).env("KINGLET_MODELS", &folder).output().unwrap();
    assert_eq!(from_cache.stdout, from_variable.stdout);
    let unknown = kinglet(&["inspect", "--model", "smollm2"]).env("KINGLET_MODELS", &folder).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    let message = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(message.contains("cargo xtask model smollm2"), "{message}");
}

#[test]
fn numbers_out_of_all_bounds_are_errors() {
    let most = &usize::MAX.to_string();
    let billion = "1000000000";
    for (command, kind) in [
        (vec!["bench", "--prefill", most], "option"),
        (vec!["bench", "--decode", most], "option"),
        (vec!["bench", "--ctx", billion], "option"),
        (vec!["run", "--ids", "1", "--ctx", most], "option"),
        (vec!["run", "--ids", "1", "--threads", most], "option"),
        (vec!["run", "--ids", "1", "--prefill-chunk", most], "option"),
        (vec!["run", "--ids", "1", "--temperature", "nan"], "option"),
        (vec!["run", "--ids", "1", "--temperature=-inf"], "option"),
        (vec!["run", "--ids", "1", "--top-p", "1.5"], "option"),
        (vec!["run", "--ids", "1", "--min-p", "inf"], "option"),
        (vec!["run", "--ids", "1", "--repeat-penalty", "0"], "option"),
        (vec!["run", "--ids", "1", "--logit-bias", "4294967295=1"], "token_id"),
        (vec!["run", "--ids", "4294967295"], "token_id"),
        (vec!["run", "--ids="], "option"),
        (vec!["logits", "--ids", "4294967295"], "token_id"),
        (vec!["logits", "--ids", "1", "--at", "4294967295"], "token_id"),
        (vec!["logits", "--ids", "1", "--positions", "1"], "option"),
        (vec!["eval", "--ids", "1"], "option"),
        (vec!["eval", "--ids", "1,2", "--window", "1"], "option"),
        (vec!["eval", "--ids", "1,4294967295"], "token_id"),
        (vec!["detokenize", "--ids", "4294967295"], "token_id"),
        (vec!["classify", "--labels", "a,,b"], "option"),
        (vec!["classify", "--labels", "a,a"], "option"),
        (vec!["extract", "--fields", ","], "option"),
        (vec!["rewrite", "--tone", ""], "option"),
        (vec!["summarize", "--ctx", "2"], "option"),
    ] {
        let model = tiny("llama-f32");
        let ran = run(&[&command[..], &["--model", &model, "--json"]].concat());
        assert_eq!(ran.error_kind(), kind, "{command:?}");
    }
}
