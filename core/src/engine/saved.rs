//! A session in a file: its ids, and its keys and values, so that a conversation or a long prompt need not be read again
//! after the system ended the app. Any device can go on with what another one saved.
//!
//! Everything is little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `kinglet` and the version of this layout, 1 |
//! | 32 | fingerprint of the model file |
//! | 4 | bytes of a number: 2 or 4 |
//! | 4 | ids |
//! | 4 each | the ids |
//! | 4, 4, ... | of each layer, of which there are none if they are to be computed again: how many numbers its keys are (not 0), first position, keys, values |
//! | 4 | 0: no more layers |
//! | 32 | SHA-256 of all before |

use super::{Engine, KvType, Session};
use crate::backend::{Cancel, Lines, Want};
use crate::{Error, Result};
use half::f16;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC: &[u8; 8] = b"kinglet\x01";
const HASH: u64 = 32;

impl Session {
    /// Writes the session to a file, whole or not at all. What only the next token needs is left out: there are no
    /// logits after [`Engine::restore`], until something is fed.
    ///
    /// # Errors
    /// [`Error::Io`], and the device's own where it is lost.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let part = path.with_added_extension("part");
        let result = write(self, &part).and_then(|()| std::fs::rename(&part, path).map_err(|e| io(path, e)));
        if result.is_err() {
            // Half a file is of no use to anybody.
            let _ = std::fs::remove_file(&part);
        }
        result
    }
}

impl Engine {
    /// Goes on with a session that [`Session::save`] wrote, on this device or another, with the same model. Where keys
    /// and values could not be saved, its ids are fed again, which `cancel` stops.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Saved`] for a file of another model, or one that is damaged;
    /// [`Error::ContextFull`] where this engine's context is too short.
    pub fn restore(&self, path: impl AsRef<Path>, cancel: &Cancel) -> Result<Session> {
        let mut file = Reading::open(path.as_ref())?;
        let saved = file.header(&self.gguf().fingerprint(), self.context())?;
        let mut session = self.session()?;
        session.check(&saved.ids)?;
        let layers = std::iter::from_fn(|| file.layer(saved.kv, saved.ids.len()).transpose());
        let mut layers = layers.fuse().peekable();
        let taken = layers.peek().is_some() && session.take(&saved.ids, &mut layers)?;
        if let Some(more) = layers.by_ref().find(|layer| taken || layer.is_err()) {
            return Err(more.err().unwrap_or_else(|| damaged("it has more layers than the model")));
        }
        drop(layers);
        file.end()?;
        if !taken {
            session.reset()?;
            session.feed_for(&saved.ids, Want::Nothing, cancel)?;
        }
        Ok(session)
    }
}

/// What comes before the layers.
struct Header {
    kv: KvType,
    ids: Vec<u32>,
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.into(), source }
}

fn damaged(what: &str) -> Error {
    Error::Saved { what: what.into() }
}

fn write(session: &Session, path: &Path) -> Result<()> {
    let file = File::create(path).map_err(|e| io(path, e))?;
    let mut out = Writing { path, out: BufWriter::new(file), hash: Sha256::new() };
    let (engine, ids) = (session.engine(), session.ids());
    let kv = engine.kv();
    out.put(MAGIC)?;
    out.put(&engine.gguf().fingerprint())?;
    out.number(kv.bytes())?;
    out.number(ids.len())?;
    out.put(&ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>())?;
    session.layers(&mut |lines| {
        if lines.keys.is_empty() {
            return Ok(()); // Nothing was fed yet.
        }
        out.number(lines.keys.len())?;
        out.number(lines.first)?;
        for numbers in [&lines.keys, &lines.values] {
            let bytes: Vec<u8> = match kv {
                KvType::F16 => numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
                KvType::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            out.put(&bytes)?;
        }
        Ok(())
    })?;
    out.number(0)?;
    out.finish()
}

struct Writing<'a> {
    path: &'a Path,
    out: BufWriter<File>,
    hash: Sha256,
}

impl Writing<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(|e| io(self.path, e))
    }

    fn number(&mut self, number: usize) -> Result<()> {
        self.put(&(number as u32).to_le_bytes())
    }

    fn finish(mut self) -> Result<()> {
        let hash = self.hash.finalize();
        let written = self.out.write_all(&hash).and_then(|()| self.out.flush());
        written.and_then(|()| self.out.get_ref().sync_all()).map_err(|e| io(self.path, e))
    }
}

struct Reading<'a> {
    path: &'a Path,
    input: BufReader<File>,
    /// Bytes before the hash that are not read yet.
    left: u64,
    hash: Sha256,
}

impl<'a> Reading<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| io(path, e))?;
        let left = file.metadata().map_err(|e| io(path, e))?.len();
        let left = left.checked_sub(HASH).ok_or_else(|| damaged("the file is too short"))?;
        Ok(Self { path, input: BufReader::new(file), left, hash: Sha256::new() })
    }

    /// So many bytes, of which the file has no fewer.
    fn get(&mut self, bytes: u64) -> Result<Vec<u8>> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| damaged("the file is cut short"))?;
        let mut out = vec![0; bytes as usize];
        self.input.read_exact(&mut out).map_err(|e| io(self.path, e))?;
        self.hash.update(&out);
        Ok(out)
    }

    fn number(&mut self) -> Result<u32> {
        let bytes = self.get(4)?;
        Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    fn header(&mut self, model: &[u8; 32], context: usize) -> Result<Header> {
        if self.get(8)? != MAGIC {
            return Err(damaged("the file is not one, or of another version"));
        }
        if self.get(32)? != model {
            return Err(damaged("it is of another model"));
        }
        let kv = match self.number()? {
            2 => KvType::F16,
            4 => KvType::F32,
            _ => return Err(damaged("its numbers are of no known size")),
        };
        let ids = self.number()? as usize;
        if ids > context {
            return Err(Error::ContextFull { needed: ids, context });
        }
        let ids = self.get(4 * ids as u64)?.as_chunks::<4>().0.iter().map(|id| u32::from_le_bytes(*id)).collect();
        Ok(Header { kv, ids })
    }

    /// The next layer; `None` after the last.
    fn layer(&mut self, kv: KvType, position: usize) -> Result<Option<Lines>> {
        let len = u64::from(self.number()?);
        if len == 0 {
            return Ok(None);
        }
        let first = self.number()? as usize;
        if first > position {
            return Err(damaged("a layer begins after its end"));
        }
        let bytes = len * kv.bytes() as u64;
        let mut numbers = || -> Result<Vec<f32>> {
            let bytes = self.get(bytes)?;
            Ok(match kv {
                KvType::F16 => bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
                KvType::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            })
        };
        Ok(Some(Lines { first, keys: numbers()?, values: numbers()? }))
    }

    /// All was read, and it was what had been written.
    fn end(mut self) -> Result<()> {
        if self.left > 0 {
            return Err(damaged("the file is too long"));
        }
        let mut hash = [0; HASH as usize];
        self.input.read_exact(&mut hash).map_err(|e| io(self.path, e))?;
        if self.hash.finalize()[..] == hash { Ok(()) } else { Err(damaged("the file is damaged")) }
    }
}
