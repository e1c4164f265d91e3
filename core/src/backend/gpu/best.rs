//! The best logits of one row alone, found on the device: a few rows come back instead of the whole vocabulary, and a
//! head of 8-bit codes is read by halves.
//!
//! Each tile of 64 logits is bounded, from the upper 4 bits of the weights where they lie in a plane of their own. The
//! most promising tiles are computed, which tells what the best reach at least; then the others that can hold one of
//! them are, all as the whole head would be, to the bit. See `cpu/head.rs`, which bounds in the same way.

use super::device::Opened;
use super::plan::{Bound, Call, Choice, Grid, Plane};
use super::weights::{self, Held, PackedPart};
use crate::Result;
use crate::backend::Best;
use crate::graph::{Graph, NodeId, Rows, WeightId};
use crate::ops::{Matmul, Op};
use crate::quant::{BLOCK, Layout, TILE};
use kinglet_shaders::{Activations as Form, Codes, Kernel, Products, Scales};
use wgpu::BufferUsages;

/// Rows that come back; where more can be among the best, all logits do.
const CAPACITY: usize = 1024;
/// Groups that share the chosen tiles.
const GROUPS: u32 = 64;
/// Groups in x that every device starts.
const MOST_TILES: usize = 65_535;

/// What comes back; `Found` of `common/found.wgsl`.
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C)]
pub(super) struct Found {
    count: u32,
    capacity: u32,
    padding: [u32; 2],
    rows: [[u32; 2]; CAPACITY],
}

/// Its size.
pub(super) const FOUND_BYTES: u64 = size_of::<Found>() as u64;

impl Found {
    /// Writes the logits that came back among `-inf`; false if there were more.
    pub(super) fn spread(&self, logits: &mut [f32]) -> bool {
        let Some(rows) = self.rows.get(..self.count as usize) else { return false };
        logits.fill(f32::NEG_INFINITY);
        for [row, bits] in rows {
            // A device that says nonsense here has computed nonsense.
            let Some(logit) = logits.get_mut(*row as usize) else { return false };
            *logit = f32::from_bits(*bits);
        }
        !rows.is_empty()
    }
}

/// The buffer that it is in, with its capacity written.
pub(super) fn found(opened: &Opened) -> Result<wgpu::Buffer> {
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
    let buffer = opened.buffer("found", FOUND_BYTES, usage)?;
    opened.queue.write_buffer(&buffer, 4, &(CAPACITY as u32).to_le_bytes());
    Ok(buffer)
}

/// `Wish` of `common/wish.wgsl`.
pub(super) fn wish(best: Best) -> [u32; 3] {
    [best.count as u32, best.penalty.to_bits(), best.less.to_bits()]
}

/// Bytes of the bounds: a pair for each tile.
pub(super) fn bounds_bytes(graph: &Graph) -> u64 {
    8 * graph.vocab().div_ceil(TILE) as u64
}

/// Bytes of the chosen tiles: threshold, count, tiles.
pub(super) fn chosen_bytes(graph: &Graph) -> u64 {
    4 * (2 + graph.vocab().div_ceil(TILE)) as u64
}

/// The product that makes the logits; nothing but a cap comes after it.
pub(super) fn head(graph: &Graph) -> Option<NodeId> {
    graph.nodes.iter().rposition(|node| matches!(node.op, Op::Matmul(_))).map(NodeId)
}

/// What takes the place of the head; none for a vocabulary beyond what a grid has groups for. `few` are the calls for
/// a few rows.
pub(super) fn calls(choice: &Choice<'_>, few: &[Call]) -> Vec<Call> {
    let vocab = choice.graph.vocab();
    let tiles = vocab.div_ceil(TILE);
    if tiles > MOST_TILES {
        return Vec::new();
    }
    let logits = choice.graph.logits();
    let grid = |x: usize| Grid { x: x as u32, rows: 1, z: 1, over: Rows::Wanted };
    let call = |kernel, params, bindings, groups, work| Call {
        node: logits,
        kernel,
        constants: Vec::new(),
        params,
        bindings,
        slot: None,
        grid: grid(groups),
        work,
        weight_bytes: 0,
    };
    let threshold = |kernel, constants| {
        let bindings = vec![Bound::Wish, Bound::Bounds, Bound::Chosen, Bound::Found];
        Call { constants, ..call(kernel, vec![tiles as u32], bindings, 1, tiles as u64) }
    };
    if let Some(halves) = Halves::of(choice) {
        let parts = || halves.parts.iter().enumerate();
        let mut calls: Vec<Call> = parts().map(|(i, part)| halves.bounds(i, part)).collect();
        for kernel in [Kernel::BestThreshold, Kernel::BestSharpen] {
            calls.push(threshold(kernel, Vec::new()));
            calls.extend(parts().map(|(i, part)| halves.best(i, part)));
        }
        return calls;
    }
    let head = head(choice.graph);
    let mut calls: Vec<Call> = few.iter().filter(|call| Some(call.node) >= head).cloned().collect();
    let (vocab, value) = (vec![vocab as u32], Bound::Value(logits));
    calls.push(call(Kernel::LogitBounds, vocab.clone(), vec![value, Bound::Bounds], tiles, tiles as u64));
    calls.push(threshold(Kernel::BestThreshold, vec![("FINAL", 1.0)]));
    calls.push(call(Kernel::BestPick, vocab, vec![value, Bound::Chosen, Bound::Found], tiles, tiles as u64));
    calls
}

/// A head whose codes are two planes of 4 bits.
struct Halves<'a> {
    node: NodeId,
    weight: WeightId,
    layout: &'a Layout,
    parts: &'a [PackedPart],
    products: Products,
    rows: usize,
    cols: usize,
}

impl<'a> Halves<'a> {
    fn of(choice: &Choice<'a>) -> Option<Self> {
        let node = choice.graph.logits();
        let Op::Matmul(Matmul { weight, bias: None }) = &choice.graph.node(node).op else { return None };
        let form = choice.form(choice.graph.node(node).inputs[0]);
        let Held::Packed { layout, parts } = &choice.held[weight.0] else { return None };
        let products = Products { codes: Codes::Low4High4, scales: Scales::Flat, activations: form };
        let fits = weights::codes(layout).ok()? == products.codes
            && weights::scales(layout) == products.scales
            && form != Form::F32;
        let spec = choice.graph.weight(*weight);
        fits.then_some(Self { node, weight: *weight, layout, parts, products, rows: spec.rows, cols: spec.cols })
    }

    fn call(&self, kernel: Kernel, part: &PackedPart, planes: [Bound; 3], rest: &[Bound], share: u64) -> Call {
        let [d, m, sub, submin] = part.places;
        let blocks = (self.cols / BLOCK) as u32;
        let (rows, first) = (part.rows.len() as u32, part.rows.start as u32);
        Call {
            node: self.node,
            kernel,
            constants: weights::constants(self.layout),
            params: vec![blocks, rows, first, self.rows as u32, d, m, sub, submin],
            bindings: planes.iter().chain([&Bound::Integers]).chain(rest).copied().collect(),
            slot: None,
            grid: Grid { x: part.rows.len().div_ceil(TILE) as u32, rows: 1, z: 1, over: Rows::Wanted },
            work: (part.rows.len() * self.cols) as u64 / share,
            weight_bytes: part.bytes() / share,
        }
    }

    fn bounds(&self, i: usize, part: &PackedPart) -> Call {
        let [upper, scales] = [Plane::High, Plane::Scales].map(|plane| Bound::Packed(self.weight, i, plane));
        let kernel = Kernel::HeadBounds(self.products.activations);
        self.call(kernel, part, [upper, upper, scales], &[Bound::Bounds], 2)
    }

    /// Nearly all tiles are left out.
    fn best(&self, i: usize, part: &PackedPart) -> Call {
        let planes = [Plane::Low, Plane::High, Plane::Scales].map(|plane| Bound::Packed(self.weight, i, plane));
        let mut call = self.call(Kernel::HeadBest(self.products), part, planes, &[Bound::Chosen, Bound::Found], 16);
        call.constants.push(("GROUPS_IN_ALL", f64::from(GROUPS)));
        Call { grid: Grid { x: GROUPS, ..call.grid }, ..call }
    }
}
