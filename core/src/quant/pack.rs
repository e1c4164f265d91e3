//! A matrix in the packed layout: planes of words in one piece of memory, filled tile by tile by several threads.

use super::arena::{Arena, Region};
use super::{BLOCK, Format, Layout, Scales, Split, TILE};
use crate::{Error, Result};
use bytemuck::AnyBitPattern;
use half::f16;
use std::ops::Range;
use std::sync::Mutex;

/// Columns of a super-block.
const SUPER: usize = 256;

/// A packed matrix `[rows, cols]`; the layout is described in the parent module.
pub struct Packed {
    layout: Layout,
    rows: usize,
    cols: usize,
    memory: Region,
    planes: Planes<Range<usize>>,
}

/// The six planes: their sizes, their places or their contents.
#[derive(Clone, Copy, Debug)]
struct Planes<Low, High = Low, D = Low, M = Low, Sub = Low, Submin = Low> {
    low: Low,
    high: High,
    d: D,
    m: M,
    sub: Sub,
    submin: Submin,
}

/// The part of the planes that holds some tiles.
type PlanesMut<'a> = Planes<&'a mut [u32], &'a mut [u32], &'a mut [u16], &'a mut [u16], &'a mut [i8], &'a mut [u8]>;

/// Tiles that one thread packs before it reports.
struct Piece<'a> {
    source: Range<usize>,
    planes: PlanesMut<'a>,
}

impl Packed {
    /// Packs `rows` rows of `cols` weights from `bytes`, as `layout` says (the format's own, or that one
    /// [halved](Layout::halved)), into a piece of `arena` of [`Packed::size`] bytes, with up to
    /// `threads` threads.
    ///
    /// `on_piece` is told each range of `bytes` that will not be read again, from any of the threads, so that the
    /// caller can show progress and let go of the file's pages. `cols` is a multiple of the format's block and of 32.
    pub fn pack(
        format: &Format,
        layout: Layout,
        rows: usize,
        cols: usize,
        bytes: &[u8],
        threads: usize,
        arena: &mut Arena,
        on_piece: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<Self> {
        let refuse = |what| Err(Error::Option { name: format!("pack as {}", format.name), what });
        let Some((_, split)) = format.packed else {
            return refuse("plain floats have no packed layout; read them as they are".into());
        };
        if !cols.is_multiple_of(format.weights) || !cols.is_multiple_of(BLOCK) {
            return refuse(format!("{cols} columns are not a multiple of the blocks of {}", format.weights));
        }
        let row_bytes = cols / format.weights * format.bytes;
        if rows == 0 || cols == 0 || rows.checked_mul(row_bytes) != Some(bytes.len()) {
            return refuse(format!("{} bytes are not {rows} rows of {row_bytes}", bytes.len()));
        }

        let sizes = layout.tile(cols);
        let (planes, len) = places(&sizes, rows.div_ceil(TILE));
        let mut memory = arena.take(len)?;
        {
            let per_piece = (bytes.len() / (4 * threads.max(1))).clamp(256 << 10, 4 << 20);
            let tiles_per_piece = (per_piece / (TILE * row_bytes)).max(1);
            let pieces = pieces(&mut memory, &planes, &sizes, tiles_per_piece, TILE * row_bytes, bytes.len());
            let threads = threads.clamp(1, pieces.len().max(1));
            let queue = Mutex::new(pieces.into_iter());
            let work = || {
                let mut parts = vec![Split::new(); TILE];
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(Piece { source, mut planes }) = next else { break };
                    for rows in bytes.get(source.clone()).unwrap_or_default().chunks(TILE * row_bytes) {
                        pack_tile(format, layout, split, rows, row_bytes, &mut parts, &mut planes.take(&sizes, 1));
                    }
                    on_piece(source);
                }
            };
            std::thread::scope(|scope| {
                for _ in 1..threads {
                    // Where the system has no thread to give, the others do its share.
                    if let Err(error) =
                        std::thread::Builder::new().name("kinglet-pack".into()).spawn_scoped(scope, work)
                    {
                        log::debug!("no thread for packing: {error}");
                    }
                }
                work();
            });
        }
        Ok(Self { layout, rows, cols, memory, planes })
    }

    /// Bytes that a packed matrix takes.
    pub fn size(layout: Layout, rows: usize, cols: usize) -> usize {
        places(&layout.tile(cols), rows.div_ceil(TILE)).1
    }

    /// What a kernel must know of the format.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Rows, without the padding.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns, a multiple of 32.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Tiles of 64 rows.
    pub fn tiles(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    /// Blocks of 32 columns in a row.
    pub fn blocks(&self) -> usize {
        self.cols / BLOCK
    }

    /// Bytes of all planes.
    pub fn bytes(&self) -> usize {
        self.memory.len()
    }

    /// Low bits of the codes: `layout.low` words a block and row.
    pub fn low(&self) -> &[u32] {
        self.plane(&self.planes.low)
    }

    /// High bits of the codes: `layout.high` words a block and row.
    pub fn high(&self) -> &[u32] {
        self.plane(&self.planes.high)
    }

    /// Scales, as f16 bits.
    pub fn d(&self) -> &[u16] {
        self.plane(&self.planes.d)
    }

    /// Minima, as f16 bits; empty without.
    pub fn m(&self) -> &[u16] {
        self.plane(&self.planes.m)
    }

    /// Factors of the scales of a super-block's groups; empty for flat scales.
    pub fn sub(&self) -> &[i8] {
        self.plane(&self.planes.sub)
    }

    /// Factors of the minima of a super-block's groups; empty without.
    pub fn submin(&self) -> &[u8] {
        self.plane(&self.planes.submin)
    }

    fn plane<T: AnyBitPattern>(&self, place: &Range<usize>) -> &[T] {
        self.memory.get(place.clone()).and_then(|bytes| bytemuck::try_cast_slice(bytes).ok()).unwrap_or_default()
    }

    /// Dequantises one row, to the bit as [`Format::dequantise`] does; `out` is `[cols]`. Padding rows are zeros.
    pub fn unpack_row(&self, row: usize, out: &mut [f32]) {
        if row >= self.tiles() * TILE {
            return out.fill(0.0);
        }
        let (tile, row) = (row / TILE, row % TILE);
        let (layout, blocks) = (self.layout, self.blocks());
        let half = |plane: &[u16], index: usize| f16::from_bits(plane[index]).to_f32();
        for (kb, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate().take(blocks) {
            let block = tile * blocks + kb;
            let codes = self.codes(block, row);
            let (group, scale_block) = match layout.scales {
                Scales::Flat => (BLOCK, block),
                Scales::Super { group } => (group, tile * (blocks * BLOCK / SUPER) + kb * BLOCK / SUPER),
            };
            let d = half(self.d(), scale_block * TILE + row);
            let m = if layout.min { half(self.m(), scale_block * TILE + row) } else { 0.0 };
            for (g, (out, codes)) in out.chunks_exact_mut(group).zip(codes.chunks_exact(group)).enumerate() {
                let index = (block * (BLOCK / group) + g) * TILE + row;
                let (scale, min) = match layout.scales {
                    Scales::Flat => (d, m),
                    Scales::Super { .. } => (
                        d * f32::from(self.sub()[index]),
                        if layout.min { m * f32::from(self.submin()[index]) } else { 0.0 },
                    ),
                };
                for (out, code) in out.iter_mut().zip(codes) {
                    let product = scale * layout.decode(*code);
                    // Not `+ 0.0` where there is no minimum: that would lose the sign of a negative zero.
                    *out = if layout.min { product + min } else { product };
                }
            }
        }
    }

    /// The codes of a block (counted over all tiles) and row, in column order.
    fn codes(&self, block: usize, row: usize) -> [u8; BLOCK] {
        let Layout { low, high, .. } = self.layout;
        let word = |plane: &[u32], width: u8, w: usize| plane[(block * usize::from(width) + w) * TILE + row];
        let mut codes = [0; BLOCK];
        for (i, codes) in codes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let (words, mask) = (usize::from(low), low_mask(low));
            let mut code = (word(self.low(), low, i % words) >> (usize::from(low) * (i / words))) & mask;
            code |= match high {
                0 => 0,
                1 => ((word(self.high(), 1, 0) >> i) & 0x0101_0101) << low,
                4 => ((word(self.high(), 4, i % 4) >> (4 * (i / 4))) & 0x0f0f_0f0f) << low,
                _ => ((word(self.high(), 2, i / 4) >> (2 * (i % 4))) & 0x0303_0303) << low,
            };
            *codes = code.to_le_bytes();
        }
        codes
    }
}

impl Layout {
    /// What a code means, before its scale.
    fn decode(&self, code: u8) -> f32 {
        match self.codebook {
            Some(codebook) => f32::from(codebook[usize::from(code & 15)]),
            None => f32::from(code) - f32::from(self.bias),
        }
    }

    /// Bytes of each plane in a tile of `cols` columns.
    pub fn tile_bytes(&self, cols: usize) -> TileBytes {
        let Planes { low, high, d, m, sub, submin } = self.tile(cols);
        TileBytes { low: 4 * low, high: 4 * high, d: 2 * d, m: 2 * m, sub, submin }
    }

    /// Elements of each plane in a tile of `cols` columns; all are multiples of 64.
    fn tile(&self, cols: usize) -> Planes<usize> {
        let blocks = cols / BLOCK;
        let (scales, subs) = match self.scales {
            Scales::Flat => (blocks, 0),
            Scales::Super { group } => (cols / SUPER, cols / group),
        };
        let with_min = |n| if self.min { n } else { 0 };
        Planes {
            low: blocks * usize::from(self.low) * TILE,
            high: blocks * usize::from(self.high) * TILE,
            d: scales * TILE,
            m: with_min(scales) * TILE,
            sub: subs * TILE,
            submin: with_min(subs) * TILE,
        }
    }
}

/// Bytes of each plane in a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileBytes {
    /// Low bits of the codes.
    pub low: usize,
    /// High bits of the codes.
    pub high: usize,
    /// Scales.
    pub d: usize,
    /// Minima.
    pub m: usize,
    /// Factors of the scales.
    pub sub: usize,
    /// Factors of the minima.
    pub submin: usize,
}

impl TileBytes {
    /// Everything but the codes.
    pub fn scales(&self) -> usize {
        self.d + self.m + self.sub + self.submin
    }
}

/// Where each plane lies in the allocation, and how long that is.
fn places(tile: &Planes<usize>, tiles: usize) -> (Planes<Range<usize>>, usize) {
    let mut end = 0;
    let mut place = |elements: usize, bytes: usize| {
        let start = end;
        end += elements * bytes * tiles;
        start..end
    };
    let planes = Planes {
        low: place(tile.low, 4),
        high: place(tile.high, 4),
        d: place(tile.d, 2),
        m: place(tile.m, 2),
        sub: place(tile.sub, 1),
        submin: place(tile.submin, 1),
    };
    (planes, end)
}

/// Cuts the memory into pieces of whole tiles, each with its range of the source.
fn pieces<'a>(
    memory: &'a mut [u8],
    places: &Planes<Range<usize>>,
    tile: &Planes<usize>,
    tiles_per_piece: usize,
    tile_bytes: usize,
    source: usize,
) -> Vec<Piece<'a>> {
    fn typed<T: bytemuck::NoUninit + AnyBitPattern>(bytes: &mut [u8]) -> &mut [T] {
        bytemuck::try_cast_slice_mut(bytes).unwrap_or_default()
    }
    let mut rest = memory;
    let mut plane = |place: &Range<usize>| rest.split_off_mut(..place.len()).unwrap_or_default();
    let mut planes = Planes {
        low: typed(plane(&places.low)),
        high: typed(plane(&places.high)),
        d: typed(plane(&places.d)),
        m: typed(plane(&places.m)),
        sub: typed(plane(&places.sub)),
        submin: typed(plane(&places.submin)),
    };
    let step = tiles_per_piece * tile_bytes;
    (0..source)
        .step_by(step)
        .map(|start| {
            let source = start..source.min(start + step);
            let planes = planes.take(tile, source.len().div_ceil(tile_bytes));
            Piece { source, planes }
        })
        .collect()
}

impl PlanesMut<'_> {
    /// Takes the first tiles away.
    fn take(&mut self, tile: &Planes<usize>, tiles: usize) -> Self {
        #[allow(clippy::mut_mut, reason = "what is taken shortens the slice that is left")]
        fn first<'a, T>(plane: &mut &'a mut [T], elements: usize) -> &'a mut [T] {
            plane.split_off_mut(..elements).unwrap_or_default()
        }
        Self {
            low: first(&mut self.low, tile.low * tiles),
            high: first(&mut self.high, tile.high * tiles),
            d: first(&mut self.d, tile.d * tiles),
            m: first(&mut self.m, tile.m * tiles),
            sub: first(&mut self.sub, tile.sub * tiles),
            submin: first(&mut self.submin, tile.submin * tiles),
        }
    }
}

/// Packs up to 64 rows of `source`; the rows that lack stay zero. `parts` has a place for each row.
fn pack_tile(
    format: &Format,
    layout: Layout,
    split: fn(&[u8], &mut Split),
    source: &[u8],
    row_bytes: usize,
    parts: &mut [Split],
    tile: &mut PlanesMut<'_>,
) {
    let blocks_each = format.weights / BLOCK;
    let (low_words, high_words) = (usize::from(layout.low), usize::from(layout.high));
    let low = tile.low.as_chunks_mut::<TILE>().0;
    let high = tile.high.as_chunks_mut::<TILE>().0;
    for at in 0..row_bytes / format.bytes {
        let rows = source.chunks_exact(row_bytes).zip(&mut *parts);
        let count = rows.len();
        for (row, (bytes, part)) in rows.enumerate() {
            split(&bytes[at * format.bytes..][..format.bytes], part);
            tile.d[at * TILE + row] = part.d;
            if layout.min {
                tile.m[at * TILE + row] = part.m;
            }
            if let Scales::Super { group } = layout.scales {
                let groups = format.weights / group;
                for g in 0..groups {
                    tile.sub[(at * groups + g) * TILE + row] = part.sub[g];
                }
                if layout.min {
                    for g in 0..groups {
                        tile.submin[(at * groups + g) * TILE + row] = part.submin[g];
                    }
                }
            }
        }
        for b in 0..blocks_each {
            let kb = at * blocks_each + b;
            pack_low(layout.low, &parts[..count], b, &mut low[kb * low_words..][..low_words]);
            pack_high(layout, &parts[..count], b, &mut high[kb * high_words..][..high_words]);
        }
    }
}

/// Writes the low bits of block `b` of each row: the inverse of the table in the parent module.
fn pack_low(bits: u8, parts: &[Split], b: usize, plane: &mut [[u32; TILE]]) {
    let mask = low_mask(bits);
    match bits {
        8 => pack_words::<8>(parts, b, plane, |codes, w| codes[w]),
        4 => pack_words::<4>(parts, b, plane, |codes, w| codes[w] & mask | (codes[w + 4] & mask) << 4),
        _ => pack_words::<2>(parts, b, plane, |codes, w| {
            (0..4).fold(0, |word, i| word | (codes[w + 2 * i] & mask) << (2 * i))
        }),
    }
}

/// Writes the high bits of block `b` of each row.
fn pack_high(layout: Layout, parts: &[Split], b: usize, plane: &mut [[u32; TILE]]) {
    let low = u32::from(layout.low);
    match layout.high {
        0 => {}
        1 => pack_words::<1>(parts, b, plane, |codes, _| {
            (0..8).fold(0, |word, i| word | ((codes[i] >> low) & 0x0101_0101) << i)
        }),
        4 => pack_words::<4>(parts, b, plane, |codes, w| {
            ((codes[w] >> low) & 0x0f0f_0f0f) | ((codes[w + 4] >> low) & 0x0f0f_0f0f) << 4
        }),
        _ => pack_words::<2>(parts, b, plane, |codes, w| {
            (0..4).fold(0, |word, i| word | ((codes[4 * w + i] >> low) & 0x0303_0303) << (2 * i))
        }),
    }
}

/// Writes `W` words of block `b` of each row, made from the 8 words of its codes.
#[inline]
fn pack_words<const W: usize>(
    parts: &[Split],
    b: usize,
    plane: &mut [[u32; TILE]],
    word: impl Fn(&[u32; 8], usize) -> u32,
) {
    let Some(plane) = plane.first_chunk_mut::<W>() else { return };
    for (row, part) in parts.iter().enumerate().take(TILE) {
        let Some(codes) = part.codes.as_chunks::<BLOCK>().0.get(b) else { return };
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(codes.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        for (w, plane) in plane.iter_mut().enumerate() {
            plane[row] = word(&words, w);
        }
    }
}

/// The low plane's bits of each byte of a word.
fn low_mask(bits: u8) -> u32 {
    match bits {
        8 => u32::MAX,
        4 => 0x0f0f_0f0f,
        _ => 0x0303_0303,
    }
}
