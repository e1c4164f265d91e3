//! Ctrl-C and closed pipes.

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Ran, kinglet, tiny};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::Duration;

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
}

fn start(args: &[&str]) -> Child {
    kinglet(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A run that cannot be over before it is interrupted.
const ENDLESS: [&str; 8] =
    ["run", "--model", "smollm2", "--prompt", "One", "--logit-bias", "657=1000", "--max-tokens=4000"];

#[test]
fn a_run_ends_with_what_is_there() {
    let mut child = start(&ENDLESS);
    let mut first = [0];
    if child.stdout.as_mut().unwrap().read_exact(&mut first).is_ok() {
        interrupt(&child);
    }
    let ran = Ran(child.wait_with_output().unwrap());
    assert_eq!(ran.status(), 130, "{}", ran.stderr());
    assert!(ran.stderr().contains("stopped: cancelled"), "{}", ran.stderr());
}

#[test]
fn with_json_the_result_so_far_is_printed() {
    let child = start(&[&ENDLESS[..], &["--json"]].concat());
    std::thread::sleep(Duration::from_secs(2));
    interrupt(&child);
    let ran = Ran(child.wait_with_output().unwrap());
    assert_eq!(ran.status(), 130, "{}", ran.stderr());
    let answer = ran.object();
    assert_eq!(answer["stop"], "cancelled");
    assert_eq!(answer["ids"].as_array().unwrap().len() as u64, answer["stats"]["tokens"].as_u64().unwrap());
}

#[test]
fn measurements_so_far_are_printed() {
    let model = tiny("llama-f32");
    let args = ["bench", "--model", &model, "--prefill=200", "--decode=20", "--repeat=100000000", "--json"];
    let child = start(&args);
    std::thread::sleep(Duration::from_secs(2));
    interrupt(&child);
    let ran = Ran(child.wait_with_output().unwrap());
    assert_eq!(ran.status(), 130, "{}", ran.stderr());
    let answer = ran.object();
    assert_eq!(answer["stop"], "cancelled");
    assert!(answer["prefill_samples"].is_array());
}

#[test]
fn waiting_for_input_ends_at_once() {
    let model = tiny("llama-f32");
    let mut child = start(&["tokenize", "--model", &model, "--json"]);
    // Held open: the end of the input would end the program as well.
    let stdin = child.stdin.take();
    std::thread::sleep(Duration::from_secs(2));
    interrupt(&child);
    let ran = Ran(child.wait_with_output().unwrap());
    drop(stdin);
    assert_eq!(ran.status(), 130);
    assert_eq!(ran.object()["error"]["kind"], "cancelled");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let model = tiny("llama-f32");
    let mut child = start(&["tokenize", "--model", &model, "--jsonl"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    std::io::Write::write_all(&mut stdin, b"\"a\"\n").unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "a line is answered before the next one comes: {line:?}");
    drop(stdout);
    std::io::Write::write_all(&mut stdin, b"\"b\"\n").unwrap();
    drop(stdin);
    let ran = Ran(child.wait_with_output().unwrap());
    assert_eq!((ran.status(), ran.stderr().as_str()), (0, ""));
}
