//! A device's values in a file, to be compared with another device's elsewhere: a safetensors file with one tensor for
//! each node, by its name. Any engine can write one.
//!
//! A node's tensor is `[tokens, width]`; of the nodes after the last layer, whose rows are only those that make logits, it
//! may have the last row alone. Nodes may be missing, and are not compared then. `kinglet.ids` and `kinglet.side` among the
//! file's metadata say what was run and how; `kinglet.continuation` has the logits after each further greedy token.

use super::given::Given;
use super::report::Side;
use super::reproducer::Attended;
use crate::backend::reference::Reference;
use crate::backend::{Alone, Cancel, Device, Memory, Program, State, Want};
use crate::generate::argmax;
use crate::graph::{Graph, NodeId, Rows};
use crate::weights::Weights;
use crate::{Error, Result};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::any::Any;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;

const IDS: &str = "kinglet.ids";
const SIDE: &str = "kinglet.side";
const CONTINUATION: &str = "kinglet.continuation";
/// No header is larger: some hundred names.
const MOST_HEADER: u64 = 16 << 20;

fn wrong(what: impl Into<String>) -> Error {
    Error::Dump { what: what.into() }
}

/// Runs `ids`, and `tokens` greedy ones after them, on a device that keeps all values and takes `chunk` tokens at once, and
/// writes every value.
///
/// # Errors
/// The device's own, [`Error::Dump`] where the file cannot be written, and [`Error::Cancelled`].
pub fn dump(
    path: &Path,
    graph: &Graph,
    program: &mut dyn Program,
    side: &Side,
    ids: &[u32],
    (chunk, tokens): (usize, usize),
    cancel: &Cancel,
) -> Result<()> {
    let failed = |error: io::Error| wrong(format!("{} cannot be written: {error}", path.display()));
    let mut end = 0;
    let mut tensor = |name: &str, rows: usize, width: usize| {
        let start = end;
        end += rows * width * size_of::<f32>();
        (name.to_owned(), TensorInfo { dtype: Dtype::F32, shape: vec![rows, width], data_offsets: (start, end) })
    };
    let valued = graph.nodes.iter().filter(|node| node.width > 0);
    let mut tensors: Vec<_> =
        valued.map(|node| tensor(&node.name, if node.rows == Rows::All { ids.len() } else { 1 }, node.width)).collect();
    let further = tokens.saturating_sub(1);
    tensors.push(tensor(CONTINUATION, further, graph.vocab()));
    let json = |value: serde_json::Result<String>| value.map_err(|error| wrong(error.to_string()));
    let said = [(IDS, json(serde_json::to_string(ids))?), (SIDE, json(serde_json::to_string(side))?)];
    let said = said.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    let header = Metadata::new(Some(said), tensors).map_err(|error| wrong(error.to_string()))?;
    let mut text = json(serde_json::to_string(&header))?;
    // Data begins at a multiple of 8 bytes.
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));

    let mut file = File::create(path).map_err(failed)?;
    file.write_all(&(text.len() as u64).to_le_bytes())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(failed)?;
    let data = 8 + text.len() as u64;
    let mut put = |name: &str, row: usize, values: &[f32]| -> Result<()> {
        let Some(info) = header.info(name) else { return Ok(()) };
        let width = info.shape.last().copied().unwrap_or(0);
        let at = data + (info.data_offsets.0 + row * width * size_of::<f32>()) as u64;
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&bytes)).map_err(failed)
    };
    let mut state = program.state(ids.len() + tokens)?;
    let mut logits = Vec::new();
    for (i, part) in ids.chunks(chunk).enumerate() {
        let last = (i + 1) * chunk >= ids.len();
        program.run(state.as_mut(), part, if last { Want::Last } else { Want::Nothing }, &mut logits, cancel)?;
        let kept = super::Kept { program, logits: &logits };
        for (id, node) in graph.nodes.iter().enumerate() {
            let values = kept.value(graph, NodeId(id))?;
            put(&node.name, if node.rows == Rows::All { i * chunk } else { 0 }, &values)?;
        }
    }
    for row in 0..further {
        let id = argmax(&logits).unwrap_or_default();
        program.run(state.as_mut(), &[id], Want::Last, &mut logits, cancel)?;
        put(CONTINUATION, row, &logits)?;
    }
    Ok(())
}

/// Runs a device to the end, as [`dump`] does, into a file of `folder` that nobody else sees, and lets go of it before the
/// next one is prepared: a phone has no room for two sets of weights. Single nodes are left to the reference, which reads
/// `weights` as they lie.
///
/// # Errors
/// Those of [`dump`].
pub fn let_go(
    mut program: Box<dyn Program>,
    folder: &Path,
    graph: &Graph,
    weights: &Weights,
    side: &Side,
    ids: &[u32],
    size: (usize, usize),
    cancel: &Cancel,
) -> Result<Dumped> {
    let failed = |error: io::Error| wrong(format!("no file can be made in {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let path = tempfile::NamedTempFile::new_in(folder).map_err(failed)?.into_temp_path();
    dump(&path, graph, program.as_mut(), side, ids, size, cancel)?;
    let device = program.device();
    drop(program);
    let mut dumped = Dumped::open(&path, graph, ids)?;
    dumped.device = Some(device);
    dumped.weights = Some(weights.clone());
    Ok(dumped)
}

/// A file of values, in the place of a device that would compute them.
pub struct Dumped {
    graph: Graph,
    header: Metadata,
    data: u64,
    file: Mutex<File>,
    name: String,
    side: Option<Side>,
    /// The device itself, if that was here a moment ago.
    device: Option<Device>,
    /// For single nodes.
    weights: Option<Weights>,
    /// What was run.
    ids: Vec<u32>,
    /// Of the last chunk: its first token, how many it has, and of how many logits are wanted.
    last: (usize, usize, usize),
}

impl Dumped {
    /// Reads a file of values of `graph` for `ids`.
    ///
    /// # Errors
    /// [`Error::Dump`] where it is no such file, or of other ids.
    pub fn open(path: &Path, graph: &Graph, ids: &[u32]) -> Result<Self> {
        let failed = |source: io::Error| Error::Io { path: path.into(), source };
        let mut file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| wrong("the file is too short for a safetensors file"))?;
        let size = u64::from_le_bytes(size);
        if size > MOST_HEADER || size + 8 > length {
            return Err(wrong(format!("its header is said to have {size} bytes; give a safetensors file")));
        }
        let mut text = vec![0; size as usize];
        file.read_exact(&mut text).map_err(failed)?;
        let header: Metadata =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("its header cannot be read: {error}")))?;
        if (length - 8 - size) < header.data_len() as u64 {
            return Err(wrong("it ends before its tensors do; get the whole file"));
        }
        let said = |key| header.metadata().as_ref().and_then(|said: &HashMap<String, String>| said.get(key));
        let theirs = said(IDS).map(|ids| serde_json::from_str::<Vec<u32>>(ids)).transpose();
        let theirs = theirs.map_err(|error| wrong(format!("{IDS} cannot be read: {error}")))?;
        if theirs.is_some_and(|theirs| theirs != ids) {
            return Err(wrong("it is of another prompt; give the one that it was written for"));
        }
        let side = said(SIDE).map(|side| serde_json::from_str(side)).transpose();
        let side = side.map_err(|error| wrong(format!("{SIDE} cannot be read: {error}")))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let data = 8 + size;
        let dumped = Self {
            graph: graph.clone(),
            header,
            data,
            file: Mutex::new(file),
            name,
            side,
            device: None,
            weights: None,
            ids: ids.to_vec(),
            last: (0, 0, 0),
        };
        let mut known = 0;
        for node in graph.nodes.iter().filter(|node| node.width > 0) {
            let Some(info) = dumped.header.info(&node.name) else { continue };
            known += 1;
            let one = node.rows == Rows::Wanted && info.shape == [1, node.width];
            if info.shape != [ids.len(), node.width] && !one {
                let (found, tokens, width) = (&info.shape, ids.len(), node.width);
                return Err(wrong(format!("{} has shape {found:?}, not [{tokens}, {width}]", node.name)));
            }
            if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                return Err(wrong(format!("{} is stored as {}; give F32, F16 or BF16", node.name, info.dtype)));
            }
        }
        if known == 0 {
            let (first, last) = (&graph.nodes[0].name, &graph.node(graph.logits()).name);
            return Err(wrong(format!("none of its tensors is a node of the model; name them {first} to {last}")));
        }
        Ok(dumped)
    }

    /// How it was run, where the file says it.
    pub fn side(&self) -> Option<&Side> {
        self.side.as_ref()
    }

    /// How many tokens it can be followed for.
    pub fn tokens(&self) -> usize {
        let has_logits = self.header.info(&self.graph.node(self.graph.logits()).name).is_some();
        let further = self.header.info(CONTINUATION).and_then(|info| info.shape.first()).copied().unwrap_or(0);
        if has_logits { 1 + further } else { 0 }
    }

    /// Some rows of a tensor; nothing where it is missing.
    fn rows(&self, name: &str, first: usize, count: usize) -> io::Result<Vec<f32>> {
        let Some(info) = self.header.info(name) else { return Ok(Vec::new()) };
        let (&[rows, width], size) = (info.shape.as_slice().first_chunk().unwrap_or(&[0, 0]), info.dtype.bitsize() / 8);
        if first + count > rows {
            return Ok(Vec::new());
        }
        let at = self.data + (info.data_offsets.0 + first * width * size) as u64;
        let mut bytes = vec![0; count * width * size];
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        let two = || bytes.as_chunks::<2>().0.iter().copied();
        Ok(match info.dtype {
            Dtype::F16 => two().map(|x| f16::from_le_bytes(x).to_f32()).collect(),
            Dtype::BF16 => two().map(|x| bf16::from_le_bytes(x).to_f32()).collect(),
            _ => bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
        })
    }

    /// The last of so many rows, of which a tensor may have only the last.
    fn ending(&self, name: &str, end: usize, count: usize) -> io::Result<Vec<f32>> {
        let rows = self.header.info(name).and_then(|info| info.shape.first()).copied().unwrap_or(0);
        // The row that is there is the prompt's last one.
        let missing = self.ids.len() - rows.min(self.ids.len());
        match end.checked_sub(count + missing) {
            Some(first) => self.rows(name, first, count),
            None => Ok(Vec::new()),
        }
    }
}

/// Positions that were read.
struct Position {
    now: usize,
    context: usize,
}

impl Program for Dumped {
    fn device(&self) -> Device {
        if let Some(device) = &self.device {
            return device.clone();
        }
        let by = self.side.as_ref().map_or_else(String::new, |side| format!(": {}, {}", side.kind, side.detail));
        Device::new("dump", format!("{}{by}", self.name))
    }

    fn memory(&self, _context: usize) -> Memory {
        Memory::default()
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        Ok(Box::new(Position { now: 0, context }))
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        cancel.check()?;
        let start = state.position();
        let (end, prompt) = (start + ids.len(), self.ids.len());
        let unreadable = |error: io::Error| wrong(format!("{} cannot be read: {error}", self.name));
        let wanted = want.rows(ids.len());
        if self.ids.get(start..end) == Some(ids) {
            let name = &self.graph.node(self.graph.logits()).name;
            *logits = self.ending(name, end, wanted).map_err(unreadable)?;
            self.last = (start, ids.len(), if logits.is_empty() { 0 } else { wanted });
        } else if start >= prompt && ids.len() == 1 && end - prompt < self.tokens() {
            *logits = self.rows(CONTINUATION, start - prompt, wanted).map_err(unreadable)?;
            self.last = (0, 0, 0);
        } else {
            return Err(wrong("it holds no values of these tokens; give the prompt that it was written for"));
        }
        state.advance(ids.len());
        Ok(())
    }

    fn run_node(&mut self, state: &mut dyn State, alone: &Alone<'_>) -> Result<Option<Vec<f32>>> {
        let Some(weights) = self.weights.clone() else { return Ok(None) };
        let position = state.position();
        let seen = |id: NodeId| self.rows(&self.graph.node(id).name, 0, position + alone.ids.len());
        let unreadable = |error: io::Error| wrong(format!("{} cannot be read: {error}", self.name));
        let cache = match Attended::by(&self.graph, self.graph.node(alone.node)) {
            Some(of) => Some((of, seen(of.keys).map_err(unreadable)?, seen(of.values).map_err(unreadable)?)),
            None => None,
        };
        let mut given = Given::asked(alone, position, cache);
        if let Some(side) = &self.side {
            given = given.rounded(&self.graph, &weights, side.activations, side.kv);
        }
        let mut reference = Reference::prepare(self.graph.clone(), weights, 1, alone.ids.len())?;
        let (mut runs, _) = given.run(&self.graph, &mut reference, 1, &Cancel::default())?;
        Ok(runs.pop())
    }

    /// Nothing where the file does not have it.
    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        let ((start, tokens, wanted), node) = (self.last, self.graph.node(node));
        let rows = match node.rows {
            Rows::All => self.rows(&node.name, start, tokens),
            Rows::Wanted => self.ending(&node.name, start + tokens, wanted),
        };
        rows.inspect_err(|error| log::warn!("{}: {error}", self.name)).ok()
    }
}

impl State for Position {
    fn position(&self) -> usize {
        self.now
    }

    fn context(&self) -> usize {
        self.context
    }

    fn truncate(&mut self, to: usize) -> Result<()> {
        self.now = self.now.min(to);
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn State>> {
        Ok(Box::new(Self { ..*self }))
    }

    fn advance(&mut self, count: usize) {
        self.now += count;
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
