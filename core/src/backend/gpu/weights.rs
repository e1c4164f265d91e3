//! Weights in the GPU's memory: packed a piece at a time and uploaded behind it, so that host memory never holds a
//! second copy, in parts whose planes fit a binding. Matrices with the same input lie in one stack, one after the other in
//! the same buffers, so that one kernel can read them all; and all vectors lie in one buffer.

use super::device::Opened;
use super::fuse;
use super::plan::Plane;
use crate::backend::Progress;
use crate::graph::{Graph, Role, WeightId, WeightSpec};
use crate::quant::{Arena, BLOCK, Format, Layout, Packed, Scales, TILE, TileBytes};
use crate::weights::Weights;
use crate::{Error, Result};
use kinglet_shaders::{Codes, Plain};
use std::ops::Range;
use wgpu::{Buffer, BufferUsages};

/// A range of a buffer, which may be bound alone.
#[derive(Clone)]
pub(super) struct Slice {
    pub(super) buffer: Buffer,
    /// In bytes.
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

impl Slice {
    /// How it is bound, and its bytes.
    pub(super) fn binding(&self) -> (wgpu::BufferBinding<'_>, u64) {
        // The last word may be padded.
        let bytes = self.bytes.max(4).next_multiple_of(4);
        let size = wgpu::BufferSize::new(bytes);
        (wgpu::BufferBinding { buffer: &self.buffer, offset: self.offset, size }, bytes)
    }
}

/// All weights.
pub(super) struct Weighted {
    /// By weight.
    pub(super) held: Vec<Held>,
    /// All vectors.
    pub(super) vectors: Buffer,
}

/// A weight as the kernels want it.
pub(super) enum Held {
    /// Floats.
    Vector(Slice),
    /// Planes, by ranges of rows.
    Packed { layout: Layout, parts: Vec<PackedPart> },
    /// Rows as they lie in the file, by ranges of them.
    Plain { plain: Plain, parts: Vec<PlainPart> },
    /// Nothing: its rows are read by the CPU.
    Table,
}

/// Planes of some rows; see `common/matrix.wgsl`.
pub(super) struct PackedPart {
    pub(super) rows: Range<usize>,
    pub(super) low: Slice,
    pub(super) high: Option<Slice>,
    pub(super) scales: Slice,
    /// Where planes begin in `scales`, in words: d, m, sub, submin.
    pub(super) places: [u32; 4],
}

impl PackedPart {
    /// A plane; the low one again where there is no high one.
    pub(super) fn plane(&self, plane: Plane) -> &Slice {
        match plane {
            Plane::Low => &self.low,
            Plane::High => self.high.as_ref().unwrap_or(&self.low),
            Plane::Scales => &self.scales,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.low.bytes + self.high.as_ref().map_or(0, |high| high.bytes) + self.scales.bytes
    }
}

/// Some rows of floats.
pub(super) struct PlainPart {
    pub(super) rows: Range<usize>,
    pub(super) floats: Slice,
}

/// Bytes of a file that are packed and uploaded together.
const PIECE: usize = 4 << 20;

/// Offsets of bindings are multiples of this on every device.
const ALIGN: usize = 256;

/// Buffers for every weight, with nothing in them yet.
pub(super) fn reserve(gpu: &Opened, graph: &Graph, weights: &Weights) -> Result<Weighted> {
    let is_vector = |spec: &&WeightSpec| spec.role == Role::Vector;
    let room = |spec: &WeightSpec| (4 * spec.cols).next_multiple_of(ALIGN);
    let all = graph.weights.iter().filter(is_vector).map(room).sum::<usize>();
    let vectors = gpu.buffer("vectors", all as u64, STORAGE)?;
    let mut end = 0;
    let mut one = |(i, spec): (usize, &WeightSpec)| {
        let shape = Shape::new(spec, weights, WeightId(i));
        Ok(match spec.role {
            Role::Table => Held::Table,
            Role::Vector => {
                let slice = Slice { buffer: vectors.clone(), offset: end, bytes: (4 * spec.cols) as u64 };
                end += room(spec) as u64;
                Held::Vector(slice)
            }
            Role::Matrix | Role::TiedTable => match shape.layout() {
                Some(layout) => Held::Packed { layout, parts: Vec::new() },
                None => Held::Plain { plain: plain(shape.format)?, parts: reserve_plain(gpu, &spec.name, &shape)? },
            },
        })
    };
    let mut held: Vec<Held> = graph.weights.iter().enumerate().map(&mut one).collect::<Result<_>>()?;
    for stack in fuse::stacks(graph) {
        let layouts: Option<Vec<Layout>> = stack.iter().map(|id| held[id.0].layout()).collect();
        let shapes: Vec<Shape> = stack.iter().map(|id| Shape::new(graph.weight(*id), weights, *id)).collect();
        if let Some(layouts) = layouts.filter(|layouts| stack.len() > 1 && fuse::together(layouts).is_some())
            && let Some(parts) = reserve_stack(gpu, &graph.weight(stack[0]).name, &layouts, &shapes)?
        {
            for (id, part) in stack.iter().zip(parts) {
                held[id.0].set_parts(vec![part]);
            }
        }
    }
    for (i, held) in held.iter_mut().enumerate() {
        if let Held::Packed { layout, parts } = held
            && parts.is_empty()
        {
            let shape = Shape::new(&graph.weights[i], weights, WeightId(i));
            *parts = reserve_packed(gpu, &graph.weights[i].name, *layout, &shape)?;
        }
    }
    Ok(Weighted { held, vectors })
}

impl Held {
    fn layout(&self) -> Option<Layout> {
        match self {
            Self::Packed { layout, .. } => Some(*layout),
            _ => None,
        }
    }

    fn set_parts(&mut self, new: Vec<PackedPart>) {
        if let Self::Packed { parts, .. } = self {
            *parts = new;
        }
    }
}

/// Fills them. `progress` is told how many bytes of the file of how many are done.
pub(super) fn fill(
    gpu: &Opened,
    graph: &Graph,
    weights: &Weights,
    held: &[Held],
    threads: usize,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let all = (0..graph.weights.len()).map(|i| weights.bytes(WeightId(i)).len()).sum();
    let mut done = 0;
    let mut upload = Upload { gpu, threads, pending: 0 };
    for ((i, spec), held) in graph.weights.iter().enumerate().zip(held) {
        let id = WeightId(i);
        let shape = Shape::new(spec, weights, id);
        let mut step = |part: Range<usize>| {
            weights.release(id, part.clone());
            progress(done + part.end, all)
        };
        match held {
            Held::Table => {}
            Held::Vector(slice) => upload.write(slice, 0, bytemuck::cast_slice(&weights.dequantise(id)))?,
            Held::Packed { layout, parts } => {
                for part in parts {
                    upload.packed(*layout, part, &shape, &mut step)?;
                }
            }
            Held::Plain { parts, .. } => {
                for part in parts {
                    upload.plain(part, &shape, &mut step)?;
                }
            }
        }
        done += shape.bytes.len();
        progress(done, all)?;
    }
    upload.flush()
}

/// A matrix in the file.
struct Shape<'a> {
    format: &'static Format,
    rows: usize,
    cols: usize,
    bytes: &'a [u8],
}

impl<'a> Shape<'a> {
    fn new(spec: &WeightSpec, weights: &'a Weights, id: WeightId) -> Self {
        Self { format: weights.format(id), rows: spec.rows, cols: spec.cols, bytes: weights.bytes(id) }
    }
}

impl Shape<'_> {
    /// How it is packed; `None` for floats.
    fn layout(&self) -> Option<Layout> {
        // Codes of 8 bits in two planes of 4 are read as fast and bound in smaller pieces.
        self.format.packed.map(|(layout, _)| layout.halved().unwrap_or(layout))
    }

    fn row_bytes(&self) -> usize {
        self.cols / self.format.weights * self.format.bytes
    }

    fn bytes_of(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.row_bytes()..rows.end * self.row_bytes()
    }
}

const STORAGE: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_DST);

/// Parts of as many tiles as a binding holds of the largest plane.
fn reserve_packed(gpu: &Opened, name: &str, layout: Layout, shape: &Shape) -> Result<Vec<PackedPart>> {
    let tile = layout.tile_bytes(shape.cols);
    let widest = tile.low.max(tile.high).max(tile.scales()) as u64;
    let most_tiles = (gpu.binding_bytes / widest.max(1)) as usize;
    if most_tiles == 0 {
        return Err(Error::Gpu { what: name.into(), why: "one tile of it exceeds a binding".into() });
    }
    let mut parts = Vec::new();
    for first in (0..shape.rows).step_by(most_tiles.saturating_mul(TILE)) {
        let rows = first..shape.rows.min(first + most_tiles * TILE);
        let tiles = rows.len().div_ceil(TILE);
        let plane = |what: &str, bytes: usize| -> Result<Slice> {
            let buffer = gpu.buffer(&format!("{name} {what}"), bytes as u64, STORAGE)?;
            Ok(Slice { buffer, offset: 0, bytes: bytes as u64 })
        };
        parts.push(PackedPart {
            rows,
            low: plane("low", tile.low * tiles)?,
            high: if tile.high > 0 { Some(plane("high", tile.high * tiles)?) } else { None },
            scales: plane("scales", tile.scales() * tiles)?,
            places: places(&tile, tiles),
        });
    }
    Ok(parts)
}

/// Where the planes of so many tiles begin among their scales, in words.
fn places(tile: &TileBytes, tiles: usize) -> [u32; 4] {
    let m = tile.d * tiles;
    let sub = m + tile.m * tiles;
    let submin = sub + tile.sub * tiles;
    [0, m, sub, submin].map(|bytes| (bytes / 4) as u32)
}

/// Matrices one after the other in the same buffers; `None` if those would not fit a binding.
fn reserve_stack(
    gpu: &Opened,
    name: &str,
    layouts: &[Layout],
    shapes: &[Shape<'_>],
) -> Result<Option<Vec<PackedPart>>> {
    let (mut low, mut high, mut scales) = (0, 0, 0);
    let mut ends = Vec::new();
    for (layout, shape) in layouts.iter().zip(shapes) {
        let (tile, tiles) = (layout.tile_bytes(shape.cols), shape.rows.div_ceil(TILE));
        ends.push((tile, tiles, low, high, scales));
        low += tile.low * tiles;
        high += tile.high * tiles;
        scales += (tile.scales() * tiles).next_multiple_of(ALIGN);
    }
    let aligned = ends.iter().all(|(_, _, low, high, _)| low % ALIGN == 0 && high % ALIGN == 0);
    if !aligned || [low, high, scales].into_iter().max() > Some(gpu.binding_bytes as usize) {
        return Ok(None);
    }
    let buffer = |what: &str, bytes: usize| gpu.buffer(&format!("{name} {what}"), bytes as u64, STORAGE);
    let low_buffer = buffer("low", low)?;
    let high_buffer = if high > 0 { Some(buffer("high", high)?) } else { None };
    let scales_buffer = buffer("scales", scales)?;
    let slice = |buffer: &Buffer, offset: usize, bytes: usize| Slice {
        buffer: buffer.clone(),
        offset: offset as u64,
        bytes: bytes as u64,
    };
    let part = |((tile, tiles, low, high, scales), shape): (&(TileBytes, usize, usize, usize, usize), &Shape<'_>)| {
        let bytes = tile.high * tiles;
        PackedPart {
            rows: 0..shape.rows,
            low: slice(&low_buffer, *low, tile.low * tiles),
            high: high_buffer.as_ref().filter(|_| bytes > 0).map(|buffer| slice(buffer, *high, bytes)),
            scales: slice(&scales_buffer, *scales, tile.scales() * tiles),
            places: places(tile, *tiles),
        }
    };
    Ok(Some(ends.iter().zip(shapes).map(part).collect()))
}

fn reserve_plain(gpu: &Opened, name: &str, shape: &Shape) -> Result<Vec<PlainPart>> {
    // An even number of rows keeps halves together in words.
    let most = (gpu.binding_bytes as usize / shape.row_bytes().max(1)) & !1;
    if most == 0 {
        return Err(Error::Gpu { what: name.into(), why: "two rows of it exceed a binding".into() });
    }
    let mut parts = Vec::new();
    for first in (0..shape.rows).step_by(most) {
        let rows = first..shape.rows.min(first + most);
        let bytes = shape.bytes_of(&rows).len() as u64;
        let floats = Slice { buffer: gpu.buffer(name, bytes, STORAGE)?, offset: 0, bytes };
        parts.push(PlainPart { rows, floats });
    }
    Ok(parts)
}

struct Upload<'a> {
    gpu: &'a Opened,
    threads: usize,
    /// Bytes written that may still lie in wgpu's staging memory.
    pending: usize,
}

impl Upload<'_> {
    fn packed(
        &mut self,
        layout: Layout,
        part: &PackedPart,
        shape: &Shape,
        step: &mut dyn FnMut(Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let tile = layout.tile_bytes(shape.cols);
        let [_, m, sub, submin] = part.places.map(|words| 4 * words as usize);
        let piece_rows = (PIECE / (shape.row_bytes() * TILE)).max(1) * TILE;
        let mut at = 0; // in tiles
        for first in part.rows.clone().step_by(piece_rows) {
            let piece = first..part.rows.end.min(first + piece_rows);
            let bytes = shape.bytes_of(&piece);
            let mut arena = Arena::new([Packed::size(layout, piece.len(), shape.cols)])?;
            let source = &shape.bytes[bytes.clone()];
            let packed =
                Packed::pack(shape.format, layout, piece.len(), shape.cols, source, self.threads, &mut arena, &|_| {})?;
            self.write(&part.low, at * tile.low, bytemuck::cast_slice(packed.low()))?;
            if let Some(high) = &part.high {
                self.write(high, at * tile.high, bytemuck::cast_slice(packed.high()))?;
            }
            self.write(&part.scales, at * tile.d, bytemuck::cast_slice(packed.d()))?;
            self.write(&part.scales, m + at * tile.m, bytemuck::cast_slice(packed.m()))?;
            self.write(&part.scales, sub + at * tile.sub, bytemuck::cast_slice(packed.sub()))?;
            self.write(&part.scales, submin + at * tile.submin, packed.submin())?;
            at += packed.tiles();
            step(bytes)?;
        }
        Ok(())
    }

    fn plain(
        &mut self,
        part: &PlainPart,
        shape: &Shape,
        step: &mut dyn FnMut(Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let bytes = shape.bytes_of(&part.rows);
        for (i, piece) in shape.bytes[bytes.clone()].chunks(PIECE).enumerate() {
            self.write(&part.floats, i * PIECE, piece)?;
            let start = bytes.start + i * PIECE;
            step(start..start + piece.len())?;
        }
        Ok(())
    }

    /// Writes bytes; the last word may be padded.
    fn write(&mut self, to: &Slice, offset: usize, bytes: &[u8]) -> Result<()> {
        let offset = to.offset as usize + offset;
        let (whole, rest) = bytes.split_at(bytes.len() & !3);
        if !whole.is_empty() {
            self.gpu.queue.write_buffer(&to.buffer, offset as u64, whole);
        }
        if !rest.is_empty() {
            let mut word = [0; 4];
            word[..rest.len()].copy_from_slice(rest);
            self.gpu.queue.write_buffer(&to.buffer, (offset + whole.len()) as u64, &word);
        }
        self.pending += bytes.len();
        if self.pending >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Waits until the device has everything, which frees the staging memory.
    fn flush(&mut self) -> Result<()> {
        self.pending = 0;
        let submission = self.gpu.submit([]);
        self.gpu.wait(submission)
    }
}

fn plain(format: &Format) -> Result<Plain> {
    Ok(match format.name {
        "F32" => Plain::F32,
        "F16" => Plain::F16,
        "BF16" => Plain::Bf16,
        name => return Err(Error::Gpu { what: format!("weights in {name}"), why: "no kernel reads them".into() }),
    })
}

/// The kernel's name for a layout's codes.
pub(super) fn codes(layout: &Layout) -> Result<Codes> {
    Ok(match (layout.low, layout.high, layout.codebook.is_some()) {
        (2, 0, false) => Codes::Low2,
        (2, 1, false) => Codes::Low2High1,
        (4, 0, false) => Codes::Low4,
        (4, 1, false) => Codes::Low4High1,
        (4, 2, false) => Codes::Low4High2,
        (4, 4, false) => Codes::Low4High4,
        (8, 0, false) => Codes::Low8,
        (4, 0, true) => Codes::Codebook4,
        (low, high, _) => {
            return Err(Error::Gpu {
                what: format!("codes of {low} + {high} bits"),
                why: "no kernel reads them".into(),
            });
        }
    })
}

/// The kernel's constants for a layout.
pub(super) fn constants(layout: &Layout) -> Vec<(&'static str, f64)> {
    let mut constants = vec![("HAS_MIN", f64::from(u8::from(layout.min))), ("GROUPS", f64::from(groups(layout)))];
    if let Some(table) = layout.codebook {
        for (name, values) in ["TABLE_0", "TABLE_1", "TABLE_2", "TABLE_3"].into_iter().zip(table.as_chunks::<4>().0) {
            // + 128
            let word = u32::from_le_bytes(values.map(|value| value.cast_unsigned() ^ 0x80));
            constants.push((name, f64::from(word)));
        }
    }
    // A table's values are stored + 128.
    let bias = if layout.codebook.is_some() { 128 } else { layout.bias };
    constants.push(("CODE_BIAS", f64::from(bias)));
    constants
}

/// The kernel's name for how scales lie.
pub(super) fn scales(layout: &Layout) -> kinglet_shaders::Scales {
    match layout.scales {
        Scales::Flat => kinglet_shaders::Scales::Flat,
        Scales::Super { .. } => kinglet_shaders::Scales::Super,
    }
}

/// Scales of a block.
pub(super) fn groups(layout: &Layout) -> u32 {
    match layout.scales {
        Scales::Flat => 1,
        Scales::Super { group } => (BLOCK / group) as u32,
    }
}
