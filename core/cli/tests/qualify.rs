//! `devices --qualify` as a process, which may end in the middle.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{kinglet, tiny};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn qualify(cache: &Path, more: &[&str]) -> Command {
    let mut command = kinglet(&["devices", "--qualify", "--json", "-m"]);
    command.arg(tiny("llama-q4_0")).args(more).env("XDG_CACHE_HOME", cache);
    command
}

fn answer(cache: &Path, more: &[&str]) -> Value {
    let output = qualify(cache, more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn flag(cache: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(cache.join("kinglet/kernels")).ok()?;
    files.map(|file| file.unwrap().path()).find(|path| path.to_string_lossy().ends_with("trying.json"))
}

/// Ends a process while it runs a kernel, or while it prepares the device as `before` ones did that ended, and says which
/// kernels ran.
fn end(cache: &Path, in_a_kernel: bool, before: usize) -> Vec<Value> {
    let mut child = qualify(cache, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < Duration::from_mins(2), "nothing was asked");
        let text = flag(cache).and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let running: Value = serde_json::from_str(&text).unwrap_or_default();
        let kernels = running["kernels"].as_array().filter(|_| running["before"] == before);
        if kernels.is_some_and(|kernels| kernels.is_empty() != in_a_kernel) {
            break;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left: Value = serde_json::from_slice(&fs::read(flag(cache).unwrap()).unwrap()).unwrap();
    left["kernels"].as_array().unwrap().clone()
}

#[test]
fn a_verdict_is_printed_and_kept() {
    let cache = tempfile::tempdir().unwrap();
    let first = answer(cache.path(), &[]);
    assert_eq!((&first["verdict"], &first["cached"]), (&"good".into(), &false.into()), "{first}");
    assert!(first["ladder"].as_array().unwrap().is_empty() && first["runs"].as_u64().unwrap() > 0, "{first}");
    let second = answer(cache.path(), &[]);
    assert_eq!((&second["cached"], &second["runs"]), (&true.into(), &0.into()), "{second}");
    let bad = answer(cache.path(), &["--inject", "tile@blk.1.ffn_down", "--gpu-tier", "1"]);
    assert_eq!((&bad["verdict"], &bad["cached"]), (&"replaced".into(), &false.into()), "{bad}");
    let step = &bad["ladder"][0];
    assert_eq!(step["node"], "blk.1.ffn_down", "{bad}");
    for field in ["from", "to", "why"] {
        assert!(step[field].is_string(), "{field}: {bad}");
    }
    let mut any = kinglet(&["devices", "--qualify", "--json"]);
    let none = any.env("KINGLET_MODELS", cache.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("cargo xtask model"), "{none:?}");
}

#[test]
fn a_kernel_that_took_the_process_with_it_is_replaced() {
    let cache = tempfile::tempdir().unwrap();
    let running = end(cache.path(), true, 0);
    let found = answer(cache.path(), &[]);
    assert_eq!(found["verdict"], "replaced", "{found}");
    let step = &found["ladder"][0];
    assert_eq!((&step["from"], &step["why"]), (&running[0], &"the process ended while it ran".into()), "{found}");
    assert_eq!(flag(cache.path()), None);
}

/// Somebody may have switched the phone off, once.
#[test]
fn a_device_that_cannot_be_prepared_is_given_up_the_second_time() {
    let cache = tempfile::tempdir().unwrap();
    assert!(end(cache.path(), false, 0).is_empty());
    assert!(end(cache.path(), false, 1).is_empty());
    let found = answer(cache.path(), &[]);
    assert_eq!((&found["verdict"], &found["ladder"][0]["to"]), (&"cpu".into(), &"cpu".into()), "{found}");
    assert_eq!(found["runs"], 0, "{found}");
    let again = tempfile::tempdir().unwrap();
    end(again.path(), false, 0);
    assert_eq!(answer(again.path(), &[])["verdict"], "good");
}
