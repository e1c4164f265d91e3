//! What a device came to, kept in a small file until the device, its driver, the kernels or the model change; and a flag
//! that stays behind where the process ended while the device was being asked.

use super::ladder::{Step, denied};
use crate::files;
use crate::gguf::hexadecimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What the driver calls the device.
    pub adapter: String,
    /// Driver and version.
    pub driver: String,
    /// SHA-256 of all kernels.
    pub kernels: String,
    /// What tells the model's file from others, in hexadecimal digits.
    pub model: String,
    /// How the device is used: tier, activations and all else that makes other kernels.
    pub options: String,
    /// Version of this crate.
    pub kinglet: String,
}

/// What a device is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitness {
    /// Everything is right as it is.
    Good,
    /// Everything is right since some kernels were replaced.
    Replaced,
    /// The model must run on the CPU.
    Cpu,
}

/// How long both devices took for the same task, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The GPU.
    pub gpu: f64,
    /// The CPU.
    pub cpu: f64,
}

/// What a device came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it is about.
    pub subject: Subject,
    /// What it is good for.
    pub fitness: Fitness,
    /// What was replaced, in order.
    pub ladder: Vec<Step>,
    /// Whether it is worth it, once that was measured.
    pub timing: Option<Timing>,
}

impl Verdict {
    /// Kernels that must not run as they are.
    pub fn deny(&self) -> Vec<String> {
        denied(&self.ladder)
    }

    /// Sends the model to the CPU.
    pub(crate) fn give_up(&mut self, why: String) {
        self.fitness = Fitness::Cpu;
        self.ladder.push(Step::to_cpu(why));
    }
}

/// A folder of verdicts, or none.
pub(crate) struct Verdicts<'a>(Option<&'a Path>);

/// What ran when the process ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Crash {
    subject: Subject,
    /// What had been replaced.
    pub(crate) ladder: Vec<Step>,
    /// Kernels that ran; empty while the device was prepared.
    pub(crate) kernels: Vec<String>,
    /// Processes before this one that ended while they prepared the device.
    pub(crate) before: usize,
}

/// Present while a device is asked. The system lets go of its lock when the process ends, whatever ends it.
pub(crate) struct Flag {
    path: PathBuf,
    file: File,
    subject: Subject,
    before: usize,
}

/// No verdict is larger.
const MOST: u64 = 1 << 20;

impl<'a> Verdicts<'a> {
    /// Those in a folder; without one nothing is kept.
    pub(crate) fn within(folder: Option<&'a Path>) -> Self {
        Self(folder)
    }

    /// A file for each device, model and way to use them: a new driver's verdict takes the old one's place.
    fn path(&self, subject: &Subject, extension: &str) -> Option<PathBuf> {
        let mut hash = Sha256::new();
        for part in [&subject.adapter, &subject.model, &subject.options] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let name = hexadecimal(&hash.finalize()[..8]);
        self.0.map(|folder| folder.join(format!("{name}.{extension}")))
    }

    /// The verdict on exactly this.
    pub(crate) fn find(&self, subject: &Subject) -> Option<Verdict> {
        let path = self.path(subject, "verdict.json")?;
        let verdict: Verdict = files::read(&path, MOST).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())?;
        (verdict.subject == *subject).then_some(verdict)
    }

    /// Keeps a verdict. A failure costs time at the next start, nothing else.
    pub(crate) fn keep(&self, verdict: &Verdict) {
        let Some(path) = self.path(&verdict.subject, "verdict.json") else { return };
        let json = serde_json::to_vec_pretty(verdict).map_err(io::Error::from);
        let written = json.and_then(|json| files::write(&path, &json));
        if let Err(error) = written {
            log::warn!("the verdict on {} cannot be kept in {}: {error}", verdict.subject.adapter, path.display());
        }
    }

    /// Raises the flag, and says what ran when a process ended that had raised it before. `None` without a folder, and
    /// where another process is asking the same: then its end is not this one's business.
    pub(crate) fn raise(&self, subject: &Subject) -> Option<(Flag, Option<Crash>)> {
        let path = self.path(subject, "trying.json")?;
        let open = || -> io::Result<File> {
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            file.try_lock().map_err(io::Error::from)?;
            Ok(file)
        };
        let file =
            open().inspect_err(|error| log::warn!("no flag can be raised at {}: {error}", path.display())).ok()?;
        let before: Option<Crash> = files::read(&path, MOST).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let before = before.filter(|crash| crash.subject == *subject);
        let ends = before.as_ref().filter(|crash| crash.kernels.is_empty()).map_or(0, |crash| crash.before + 1);
        Some((Flag { path, file, subject: subject.clone(), before: ends }, before))
    }
}

impl Flag {
    /// Says what runs next.
    pub(crate) fn say(&mut self, ladder: &[Step], kernels: &[String]) {
        let Self { subject, before, .. } = self;
        let crash =
            Crash { subject: subject.clone(), ladder: ladder.to_vec(), kernels: kernels.to_vec(), before: *before };
        let written = serde_json::to_vec(&crash).map_err(io::Error::from).and_then(|json| {
            self.file.set_len(0)?;
            io::Seek::rewind(&mut self.file)?;
            self.file.write_all(&json)
        });
        if let Err(error) = written {
            log::warn!("{} cannot be written: {error}", self.path.display());
        }
    }
}

impl Drop for Flag {
    /// The process is still there.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn subject(driver: &str) -> Subject {
        let [adapter, kernels, model, options, kinglet] = ["a", "k", "m", "o", "1"].map(String::from);
        Subject { adapter, driver: driver.into(), kernels, model, options, kinglet }
    }

    fn verdict(driver: &str) -> Verdict {
        let subject = subject(driver);
        Verdict { subject, fitness: Fitness::Good, ladder: Vec::new(), timing: None }
    }

    #[test]
    fn a_verdict_is_kept_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let verdicts = Verdicts::within(Some(folder.path()));
        assert_eq!(verdicts.find(&subject("1.0")), None);
        verdicts.keep(&verdict("1.0"));
        assert_eq!(verdicts.find(&subject("1.0")), Some(verdict("1.0")));
        assert_eq!(verdicts.find(&subject("1.1")), None, "another driver");
        assert_eq!(verdicts.find(&Subject { kernels: "other".into(), ..subject("1.0") }), None);
        verdicts.keep(&verdict("1.1"));
        assert_eq!(verdicts.find(&subject("1.0")), None, "it took its place");
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        let whole = fs::read(&files[0]).unwrap();
        for at in 0..whole.len() {
            fs::write(&files[0], &whole[..at]).unwrap();
            assert_eq!(verdicts.find(&subject("1.1")), None, "cut at {at}");
        }
        assert_eq!(Verdicts::within(None).find(&subject("1.0")), None);
    }

    #[test]
    fn a_flag_stays_where_the_process_ended() {
        let folder = tempfile::tempdir().unwrap();
        let verdicts = Verdicts::within(Some(folder.path()));
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (mut flag, before) = verdicts.raise(&subject("1.0")).unwrap();
        assert!(before.is_none());
        assert!(verdicts.raise(&subject("1.0")).is_none(), "somebody else is at it");
        let step = |from: &str| Step { node: "n".into(), from: from.into(), to: "t".into(), why: "w".into() };
        flag.say(&[step("a kernel of some length"), step("another")], &[]);
        flag.say(&[step("a")], &names(&["b", "c"]));
        // What a process leaves that ends here.
        let path = flag.path.clone();
        let left = fs::read(&path).unwrap();
        drop(flag);
        assert!(!path.exists());
        assert!(verdicts.raise(&subject("1.0")).unwrap().1.is_none());
        fs::write(&path, &left).unwrap();
        assert!(verdicts.raise(&subject("1.1")).unwrap().1.is_none(), "another driver");
        fs::write(&path, &left).unwrap();
        let (_, crash) = verdicts.raise(&subject("1.0")).unwrap();
        let crash = crash.unwrap();
        assert_eq!((crash.ladder, crash.kernels), (vec![step("a")], names(&["b", "c"])));
    }
}
