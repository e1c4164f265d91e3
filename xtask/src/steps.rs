//! Steps of a longer command: each is named and timed, the first failure stops and says how to run it again.

use anyhow::{Context, Result, bail};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command line that can be shown as well as run.
pub struct Line {
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
    words: Vec<String>,
}

impl Line {
    /// A program with arguments, split at spaces.
    pub fn new(line: &str) -> Self {
        let words = line.split_whitespace().map(str::to_owned).collect();
        Self { environment: Vec::new(), folder: None, words }
    }

    /// One more argument, which may hold spaces.
    pub fn word(mut self, word: &str) -> Self {
        self.words.push(word.into());
        self
    }

    /// More arguments, split at spaces.
    pub fn words(self, words: &str) -> Self {
        words.split_whitespace().fold(self, Self::word)
    }

    /// A path as one more argument.
    pub fn path(self, path: &Path) -> Self {
        self.word(&path.display().to_string())
    }

    /// Runs in another folder than this process.
    pub fn inside(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets a variable for the command.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn command(&self) -> Result<Command> {
        let (program, arguments) = self.words.split_first().context("an empty command")?;
        // `cargo xtask` has chosen a toolchain already; `cargo` by name might be another one.
        let program = match (program.as_str(), std::env::var("CARGO")) {
            ("cargo", Ok(cargo)) => cargo,
            _ => program.clone(),
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(self.environment.iter().map(|(k, v)| (k, v)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        Ok(command)
    }

    /// Runs it with this process's input and output.
    pub fn run(&self) -> Result<()> {
        let status = self.command()?.status().with_context(|| format!("cannot start {self}"))?;
        if status.success() { Ok(()) } else { bail!("{status}") }
    }

    /// Runs it and returns its standard output; standard error is passed on.
    pub fn output(&self) -> Result<String> {
        let output =
            self.command()?.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {self}"))?;
        if output.status.success() { Ok(String::from_utf8(output.stdout)?) } else { bail!("{self}: {}", output.status) }
    }

    /// Whether it runs and succeeds; its output is dropped.
    pub fn succeeds(&self) -> bool {
        self.command().is_ok_and(|mut c| {
            c.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
        })
    }

    /// Runs it, passes both of its outputs on as one, and shows every line.
    pub fn watch(&self, mut seen: impl FnMut(&str)) -> Result<()> {
        let (output, input) = std::io::pipe()?;
        // The command holds the other end of the pipe, which is to be the child's alone.
        let mut child = {
            let mut command = self.command()?;
            command.stdout(input.try_clone()?).stderr(input);
            command.spawn().with_context(|| format!("cannot start {self}"))?
        };
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            seen(&line);
        }
        let status = child.wait()?;
        if status.success() { Ok(()) } else { bail!("{status}") }
    }

    /// Runs `cargo test`, passes its output on and counts.
    pub fn test(&self) -> Result<Counts> {
        let mut child =
            self.command()?.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {self}"))?;
        let mut counts = Counts::default();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                counts += Counts::of(&line);
            }
        }
        let status = child.wait()?;
        if !status.success() || counts.failed > 0 {
            bail!("{counts}, {status}");
        }
        Ok(counts)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| if text.contains(' ') { format!("'{text}'") } else { text.to_owned() };
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str(&self.words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "))
    }
}

/// What a runner of tests counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were not run.
    pub ignored: usize,
}

impl Counts {
    /// The counts in one line of output; zero for any other line.
    fn of(line: &str) -> Self {
        let Some(rest) = line.strip_prefix("test result: ") else { return Self::default() };
        let number = |word: &str| {
            let before = rest.split(word).next().unwrap_or_default().trim_end();
            if rest.contains(word) { before.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0) } else { 0 }
        };
        Self { passed: number(" passed"), failed: number(" failed"), ignored: number(" ignored") }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

/// What a step came to, if it did not fail.
pub enum Outcome {
    /// It passed, and what the summary says of it.
    Passed(String),
    /// It could not be run, and why.
    Skipped(String),
}

impl From<String> for Outcome {
    fn from(summary: String) -> Self {
        Self::Passed(summary)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(summary) => f.write_str(summary),
            Self::Skipped(why) => write!(f, "!!! SKIPPED, NOT TESTED: {why}"),
        }
    }
}

/// The steps run so far.
pub struct Steps {
    start: Instant,
    done: Vec<String>,
    skipped: Vec<String>,
    remarks: Vec<String>,
}

impl Steps {
    /// None yet.
    pub fn new() -> Self {
        Self { start: Instant::now(), done: Vec::new(), skipped: Vec::new(), remarks: Vec::new() }
    }

    /// Runs a step; what it returns is shown now and at the end.
    pub fn step<O: Into<Outcome>>(&mut self, name: &str, again: &str, work: impl FnOnce() -> Result<O>) -> Result<()> {
        println!("\n=== {name}");
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        match result.map(Into::into) {
            Ok(Outcome::Passed(summary)) => {
                let summary = if summary.is_empty() { summary } else { format!(": {summary}") };
                let line = format!("{name} {seconds:.1} s{summary}");
                println!("=== ok: {line}");
                self.done.push(line);
                Ok(())
            }
            Ok(skipped @ Outcome::Skipped(_)) => {
                let line = format!("{name} {skipped}");
                println!("=== {line}");
                self.skipped.push(line);
                Ok(())
            }
            Err(error) => {
                println!("=== FAILED: {name} after {seconds:.1} s");
                Err(error.context(format!("{name} failed; run it again with: {again}")))
            }
        }
    }

    /// Runs a command as a step.
    pub fn line(&mut self, name: &str, line: &Line) -> Result<()> {
        self.step(name, &line.to_string(), || line.run().map(|()| String::new()))
    }

    /// Something that the summary repeats.
    pub fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Prints every step with its time, the remarks, and one closing line.
    pub fn close(self, facts: &str) {
        println!();
        for line in self.done.iter().chain(&self.skipped) {
            println!("    {line}");
        }
        for remark in &self.remarks {
            println!("    NOTE: {remark}");
        }
        println!("{} in {:.0} s; {facts}", self.verdict(), self.start.elapsed().as_secs_f64());
    }

    /// A run with a skipped step is not called ok.
    fn verdict(&self) -> String {
        match (self.done.len(), self.skipped.len()) {
            (done, 0) => format!("ok: {done} steps"),
            (done, skipped) => format!("INCOMPLETE: {done} steps passed, {skipped} SKIPPED"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_from_the_closing_lines() {
        let mut counts = Counts::of("running 7 tests");
        counts +=
            Counts::of("test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 1 filtered out; finished in 0.0s");
        counts += Counts::of("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(counts, Counts { passed: 13, failed: 2, ignored: 3 });
    }

    #[test]
    fn a_failing_command_is_an_error_that_says_how_to_repeat_it() {
        let mut steps = Steps::new();
        let error = format!("{:#}", steps.line("nothing", &Line::new("false now").env("A", "b c")).unwrap_err());
        assert!(error.contains("A='b c' false now"), "{error}");
        assert!(!Line::new("false").succeeds() && Line::new("true").succeeds());
        assert!(!Line::new("no-such-program-anywhere").succeeds());
    }

    #[test]
    fn a_skipped_step_is_not_called_ok() {
        let mut steps = Steps::new();
        steps.step("one", "", || Ok("fine".to_owned())).unwrap();
        assert_eq!(steps.verdict(), "ok: 1 steps");
        steps.step("two", "", || Ok(Outcome::Skipped("no tools".into()))).unwrap();
        assert_eq!(steps.verdict(), "INCOMPLETE: 1 steps passed, 1 SKIPPED");
        assert_eq!(steps.skipped, ["two !!! SKIPPED, NOT TESTED: no tools"]);
    }

    #[test]
    fn a_watched_command_shows_both_outputs() {
        let mut seen = Vec::new();
        let line = Line::new("sh -c").word("echo one; echo two >&2; exit 3");
        assert!(line.watch(|line| seen.push(line.to_owned())).is_err());
        seen.sort_unstable();
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn failing_tests_are_an_error_even_if_the_status_is_not() {
        assert!(Line::new("echo test result: FAILED. 1 passed; 2 failed;").test().is_err());
        assert_eq!(Line::new("echo test result: ok. 4 passed; 0 failed;").test().unwrap().passed, 4);
    }
}
