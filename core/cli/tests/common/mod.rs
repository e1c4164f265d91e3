//! Runs the built program on tiny models.

#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A file of the tests' data.
pub fn data(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(path)
}

/// A tiny model's path.
pub fn tiny(name: &str) -> String {
    data("tiny").join(format!("tiny-{name}.gguf")).display().to_string()
}

/// A JSON file of the tests' data.
pub fn json_file(path: &str) -> Value {
    let path = data(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The program, with none of the user's settings.
pub fn kinglet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinglet"));
    command.args(args).env_remove("KINGLET_MODEL").stdin(Stdio::null());
    command
}

/// What the program did with nothing on standard input.
pub fn run(args: &[&str]) -> Ran {
    Ran(kinglet(args).output().unwrap())
}

/// What the program did with `input` on standard input.
pub fn pipe(args: &[&str], input: &[u8]) -> Ran {
    let mut child = kinglet(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    feed(&mut child, input);
    Ran(child.wait_with_output().unwrap())
}

/// Writes all of `input` and closes.
pub fn feed(child: &mut Child, input: &[u8]) {
    let mut stdin = child.stdin.take().unwrap();
    // The program may end before it has read everything.
    let _ = stdin.write_all(input);
}

/// A finished run.
pub struct Ran(pub Output);

impl Ran {
    pub fn status(&self) -> i32 {
        self.0.status.code().expect("ended by a signal")
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Its standard output, which must be one line of JSON, after success.
    pub fn json(&self) -> Value {
        assert_eq!(self.status(), 0, "stdout: {}\nstderr: {}", self.stdout(), self.stderr());
        self.object()
    }

    /// Its standard output, which must be one line of JSON, whatever the status.
    pub fn object(&self) -> Value {
        let text = self.stdout();
        assert_eq!(text.matches('\n').count(), 1, "not one line: {text:?}; stderr: {}", self.stderr());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// The kind of the error that it printed, after exit status 1.
    pub fn error_kind(&self) -> String {
        assert_eq!(self.status(), 1, "stdout: {}\nstderr: {}", self.stdout(), self.stderr());
        let object = self.object();
        assert!(!object["error"]["message"].as_str().unwrap().is_empty());
        object["error"]["kind"].as_str().unwrap().into()
    }

    /// Must be wrong usage, with an explanation on standard error and nothing on standard output.
    pub fn usage(&self) {
        assert_eq!(self.status(), 2, "{}", self.stderr());
        assert_eq!(self.stdout(), "");
        assert!(self.stderr().contains("error"), "{}", self.stderr());
    }
}

pub fn ids(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
}

/// Ids as an argument.
pub fn list(ids: &Value) -> String {
    self::ids(ids).iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}
