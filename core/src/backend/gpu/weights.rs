//! Weights in the GPU's memory: packed a piece at a time and uploaded behind it, so that host memory never holds a
//! second copy, in parts whose planes fit a binding.

use super::device::Opened;
use crate::graph::{Graph, Role, WeightId};
use crate::quant::{Arena, Format, Layout, Packed, Scales, TILE};
use crate::weights::Weights;
use crate::{Error, Result};
use kinglet_shaders::{Codes, Plain};
use std::ops::Range;
use wgpu::{Buffer, BufferUsages};

/// A weight as the kernels want it.
pub(super) enum Held {
    /// Floats.
    Vector(Buffer),
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
    pub(super) low: Buffer,
    pub(super) high: Option<Buffer>,
    pub(super) scales: Buffer,
    /// Where planes begin in `scales`, in words: d, m, sub, submin.
    pub(super) places: [u32; 4],
}

/// Some rows of floats.
pub(super) struct PlainPart {
    pub(super) rows: Range<usize>,
    pub(super) floats: Buffer,
}

/// Bytes of a file that are packed and uploaded together.
const PIECE: usize = 4 << 20;

/// Puts every weight where kernels find it. `progress` is told how many bytes of the file of how many are done.
pub(super) fn upload(
    gpu: &Opened,
    graph: &Graph,
    weights: &Weights,
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Held>> {
    let all = (0..graph.weights.len()).map(|i| weights.bytes(WeightId(i)).len()).sum();
    let mut done = 0;
    let mut upload = Upload { gpu, threads, pending: 0 };
    let mut held = Vec::with_capacity(graph.weights.len());
    for (i, spec) in graph.weights.iter().enumerate() {
        let id = WeightId(i);
        let (format, bytes) = (weights.format(id), weights.bytes(id));
        held.push(match spec.role {
            Role::Table => Held::Table,
            Role::Vector => Held::Vector(upload.vector(&spec.name, &weights.dequantise(id))?),
            Role::Matrix | Role::TiedTable => {
                let mut step = |part: Range<usize>| {
                    weights.release(id, part.clone());
                    progress(done + part.end, all);
                };
                let shape = Shape { format, rows: spec.rows, cols: spec.cols, bytes };
                if let Some((layout, _)) = format.packed {
                    // Codes of 8 bits in two planes of 4 are read as fast and bound in smaller pieces.
                    let layout = layout.halved().unwrap_or(layout);
                    Held::Packed { layout, parts: upload.packed(&spec.name, layout, &shape, &mut step)? }
                } else {
                    Held::Plain { plain: plain(format)?, parts: upload.plain(&spec.name, &shape, &mut step)? }
                }
            }
        });
        done += bytes.len();
        progress(done, all);
    }
    upload.flush()?;
    Ok(held)
}

/// A matrix in the file.
struct Shape<'a> {
    format: &'static Format,
    rows: usize,
    cols: usize,
    bytes: &'a [u8],
}

impl Shape<'_> {
    fn row_bytes(&self) -> usize {
        self.cols / self.format.weights * self.format.bytes
    }

    fn bytes_of(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.row_bytes()..rows.end * self.row_bytes()
    }
}

struct Upload<'a> {
    gpu: &'a Opened,
    threads: usize,
    /// Bytes written that may still lie in wgpu's staging memory.
    pending: usize,
}

const STORAGE: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_DST);

impl Upload<'_> {
    fn vector(&mut self, name: &str, floats: &[f32]) -> Result<Buffer> {
        let buffer = self.gpu.buffer(name, size_of_val(floats) as u64, STORAGE)?;
        self.write(&buffer, 0, bytemuck::cast_slice(floats))?;
        Ok(buffer)
    }

    fn packed(
        &mut self,
        name: &str,
        layout: Layout,
        shape: &Shape,
        step: &mut dyn FnMut(Range<usize>),
    ) -> Result<Vec<PackedPart>> {
        let tile = layout.tile_bytes(shape.cols);
        let widest = tile.low.max(tile.high).max(tile.scales()) as u64;
        let most_tiles = (self.gpu.binding_bytes / widest.max(1)) as usize;
        if most_tiles == 0 {
            return Err(Error::Gpu { what: name.into(), why: "one tile of it exceeds a binding".into() });
        }
        let mut parts = Vec::new();
        for first in (0..shape.rows).step_by(most_tiles.saturating_mul(TILE)) {
            let rows = first..shape.rows.min(first + most_tiles * TILE);
            parts.push(self.packed_part(name, layout, shape, rows, step)?);
        }
        Ok(parts)
    }

    fn packed_part(
        &mut self,
        name: &str,
        layout: Layout,
        shape: &Shape,
        rows: Range<usize>,
        step: &mut dyn FnMut(Range<usize>),
    ) -> Result<PackedPart> {
        let tile = layout.tile_bytes(shape.cols);
        let tiles = rows.len().div_ceil(TILE);
        let plane = |what: &str, bytes: usize| self.gpu.buffer(&format!("{name} {what}"), bytes as u64, STORAGE);
        let low = plane("low", tile.low * tiles)?;
        let high = if tile.high > 0 { Some(plane("high", tile.high * tiles)?) } else { None };
        let scales = plane("scales", tile.scales() * tiles)?;
        let m = tile.d * tiles;
        let sub = m + tile.m * tiles;
        let submin = sub + tile.sub * tiles;

        let piece_rows = (PIECE / (shape.row_bytes() * TILE)).max(1) * TILE;
        let mut at = 0; // in tiles
        for first in rows.clone().step_by(piece_rows) {
            let piece = first..rows.end.min(first + piece_rows);
            let bytes = shape.bytes_of(&piece);
            let mut arena = Arena::new([Packed::size(layout, piece.len(), shape.cols)])?;
            let source = &shape.bytes[bytes.clone()];
            let packed =
                Packed::pack(shape.format, layout, piece.len(), shape.cols, source, self.threads, &mut arena, &|_| {})?;
            self.write(&low, at * tile.low, bytemuck::cast_slice(packed.low()))?;
            if let Some(high) = &high {
                self.write(high, at * tile.high, bytemuck::cast_slice(packed.high()))?;
            }
            self.write(&scales, at * tile.d, bytemuck::cast_slice(packed.d()))?;
            self.write(&scales, m + at * tile.m, bytemuck::cast_slice(packed.m()))?;
            self.write(&scales, sub + at * tile.sub, bytemuck::cast_slice(packed.sub()))?;
            self.write(&scales, submin + at * tile.submin, packed.submin())?;
            at += packed.tiles();
            step(bytes);
        }
        let places = [0, m, sub, submin].map(|bytes| (bytes / 4) as u32);
        Ok(PackedPart { rows, low, high, scales, places })
    }

    fn plain(&mut self, name: &str, shape: &Shape, step: &mut dyn FnMut(Range<usize>)) -> Result<Vec<PlainPart>> {
        // An even number of rows keeps halves together in words.
        let most = (self.gpu.binding_bytes as usize / shape.row_bytes().max(1)) & !1;
        if most == 0 {
            return Err(Error::Gpu { what: name.into(), why: "two rows of it exceed a binding".into() });
        }
        let mut parts = Vec::new();
        for first in (0..shape.rows).step_by(most) {
            let rows = first..shape.rows.min(first + most);
            let bytes = shape.bytes_of(&rows);
            let floats = self.gpu.buffer(name, bytes.len() as u64, STORAGE)?;
            for (i, piece) in shape.bytes[bytes.clone()].chunks(PIECE).enumerate() {
                self.write(&floats, i * PIECE, piece)?;
                let start = bytes.start + i * PIECE;
                step(start..start + piece.len());
            }
            parts.push(PlainPart { rows, floats });
        }
        Ok(parts)
    }

    /// Writes bytes; the last word may be padded.
    fn write(&mut self, buffer: &Buffer, offset: usize, bytes: &[u8]) -> Result<()> {
        let (whole, rest) = bytes.split_at(bytes.len() & !3);
        if !whole.is_empty() {
            self.gpu.queue.write_buffer(buffer, offset as u64, whole);
        }
        if !rest.is_empty() {
            let mut word = [0; 4];
            word[..rest.len()].copy_from_slice(rest);
            self.gpu.queue.write_buffer(buffer, (offset + whole.len()) as u64, &word);
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
    let mut constants = vec![("HAS_MIN", f64::from(u8::from(layout.min)))];
    match layout.codebook {
        Some(table) => {
            for (name, values) in ["TABLE_0", "TABLE_1", "TABLE_2", "TABLE_3"].into_iter().zip(table.as_chunks::<4>().0)
            {
                // + 128
                let word = u32::from_le_bytes(values.map(|value| value.cast_unsigned() ^ 0x80));
                constants.push((name, f64::from(word)));
            }
        }
        None => constants.push(("CODE_BIAS", f64::from(layout.bias))),
    }
    if let Scales::Super { group } = layout.scales {
        constants.push(("GROUPS", (crate::quant::BLOCK / group) as f64));
    }
    constants
}
