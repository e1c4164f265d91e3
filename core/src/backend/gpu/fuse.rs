//! The calls for one token, fused: what is small is computed again by every group that needs it, instead of by a kernel of
//! its own, since starting a kernel costs a phone more than a norm of a few hundred columns.
//!
//! The stages of the CPU's fused schedule, joined further: rows before a product or before attention go into it. So a
//! layer is five calls: queries, keys and values; heads; output; gate and up; down. All values of the token lie in one
//! buffer, the *row*.

use super::plan::{Bound, Call, Choice, Grid, Plane};
use super::weights::{self, Held, PackedPart};
use crate::backend::Fused;
use crate::graph::{Graph, Node, NodeId, Rows, WeightId};
use crate::ops::{Activation, Op, Pairing, RmsNorm};
use crate::precision::Activations;
use crate::quant::{BLOCK, Layout, TILE};
use crate::schedule::{Keep, Kind, Schedule};
use kinglet_shaders::{Codes, Input, Kernel, Products};
use std::ops::Range;

/// The calls, and the row that they share.
#[derive(Default)]
pub(super) struct OneRow {
    pub(super) calls: Vec<Call>,
    pub(super) row: Row,
}

/// Where values lie in the row, and which calls make them.
#[derive(Default)]
pub(super) struct Row {
    /// By node, in floats; `None` for what no kernel writes.
    pub(super) places: Vec<Option<u32>>,
    /// Floats of the row.
    pub(super) floats: u32,
    /// By node; `None` for what no fused call writes.
    pub(super) made: Vec<Option<Made>>,
}

/// How a value comes about.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) fused: Fused,
    /// The calls, by their index.
    pub(super) calls: Range<usize>,
}

/// No place, no weight, no matrix.
const NONE: u32 = u32::MAX;
/// Columns that a group has workgroup memory for.
const MOST_COLUMNS: usize = 2048;
/// Sixteen lanes take a tile's rows; so many times sixteen are a group.
const SIXTEENS: usize = 16;
/// Matrices of one call.
const PARTS: usize = 3;
/// Columns of a segment.
const SEGMENT: usize = 8 * BLOCK;

/// The calls for one token whose logits are wanted; `None` where a model has something that no stage computes.
pub(super) fn one_row(choice: &Choice<'_>) -> Option<OneRow> {
    if choice.activations == Activations::F32 {
        return None;
    }
    let nodes = choice.graph.nodes.len();
    let row = Row { places: vec![None; nodes], floats: 0, made: vec![None; nodes] };
    let picked = (0..nodes).map(NodeId).collect();
    let mut fuse = Fuse { choice, calls: Vec::new(), row, rows: Vec::new(), picked };
    for stage in Schedule::fused(choice.graph, Keep::Logits).stages {
        match stage.kind {
            Kind::Rows => fuse.rows(&stage.nodes)?,
            Kind::Attend => fuse.heads(*stage.nodes.first()?)?,
            Kind::Matmul => fuse.products(&stage.nodes, None)?,
            Kind::Gated => {
                let (gated, products) = stage.nodes.split_last()?;
                fuse.products(products, Some(*gated))?;
            }
        }
    }
    fuse.rows.is_empty().then_some(OneRow { calls: fuse.calls, row: fuse.row })
}

/// Matrices that are multiplied with the same input by one call, as the fused schedule joins them.
pub(super) fn stacks(graph: &Graph) -> Vec<Vec<WeightId>> {
    let weight = |id: &NodeId| match &graph.node(*id).op {
        Op::Matmul(op) => Some(op.weight),
        _ => None,
    };
    let stages = Schedule::fused(graph, Keep::Logits).stages;
    stages.iter().map(|stage| stage.nodes.iter().filter_map(weight).collect()).collect()
}

/// How one kernel can read matrices of these layouts, if it can.
pub(super) fn together(layouts: &[Layout]) -> Option<Codes> {
    let first = layouts.first()?;
    if layouts.len() > PARTS {
        None
    } else if layouts.iter().all(|layout| layout == first) {
        weights::codes(first).ok()
    } else {
        let scales = std::mem::discriminant(&first.scales);
        let mixes = |layout: &Layout| {
            layout.low == 4 && layout.codebook.is_none() && std::mem::discriminant(&layout.scales) == scales
        };
        layouts.iter().all(mixes).then_some(Codes::Mixed)
    }
}

/// What comes before a product: see `common/before.wgsl`.
struct Before {
    source: NodeId,
    post_norm: Option<RmsNorm>,
    /// Added to it, and the node of the sum.
    residual: Option<(NodeId, NodeId)>,
    norm: Option<RmsNorm>,
    /// All of it.
    rows: Vec<NodeId>,
}

impl Before {
    /// The values that it starts from.
    fn inputs(&self) -> Vec<NodeId> {
        [self.source].into_iter().chain(self.residual.map(|(residual, _)| residual)).collect()
    }
}

struct Fuse<'a> {
    choice: &'a Choice<'a>,
    calls: Vec<Call>,
    row: Row,
    /// Nodes that wait for the call that takes them in.
    rows: Vec<NodeId>,
    /// What a node is the same as: there is but one row to pick.
    picked: Vec<NodeId>,
}

impl<'a> Fuse<'a> {
    fn node(&self, id: NodeId) -> &'a Node {
        self.choice.graph.node(id)
    }

    /// Input `i` of a node, before any picking of rows.
    fn input(&self, id: NodeId, i: usize) -> Option<NodeId> {
        Some(self.picked[self.node(id).inputs.get(i)?.0])
    }

    fn norm(&self, id: NodeId) -> Option<&'a RmsNorm> {
        match &self.node(id).op {
            Op::RmsNorm(op) => Some(op),
            _ => None,
        }
    }

    fn place(&mut self, id: NodeId) -> u32 {
        if let Some(place) = self.row.places[id.0] {
            return place;
        }
        let place = self.reserve(self.node(id).width);
        self.row.places[id.0] = Some(place);
        place
    }

    /// Whole tiles, since kernels write whole ones.
    fn reserve(&mut self, width: usize) -> u32 {
        let place = self.row.floats;
        self.row.floats += width.next_multiple_of(TILE) as u32;
        place
    }

    fn vector(&self, id: WeightId) -> Option<u32> {
        match &self.choice.held[id.0] {
            Held::Vector(slice) => Some((slice.offset / 4) as u32),
            _ => None,
        }
    }

    fn rows(&mut self, nodes: &[NodeId]) -> Option<()> {
        for id in nodes {
            match &self.node(*id).op {
                Op::Embed(_) => _ = self.place(*id), // The CPU writes it.
                Op::PickRows => self.picked[id.0] = self.input(*id, 0)?,
                Op::Softcap(_) => self.calls.push(self.choice.simple(*id, self.node(*id)).ok()?),
                _ => self.rows.push(*id),
            }
        }
        Some(())
    }

    /// The waiting rows as the way to a product's input.
    fn before(&mut self, input: NodeId) -> Option<Before> {
        let rows = std::mem::take(&mut self.rows);
        let is_add = |id: &NodeId| self.node(*id).op == Op::Add;
        let (post_norm, rest) = match rows.as_slice() {
            [norm, rest @ ..] if self.norm(*norm).is_some() && rest.first().is_some_and(is_add) => (Some(*norm), rest),
            all => (None, all),
        };
        let (add, norm) = match rest {
            [] => (None, None),
            [add] if is_add(add) => (Some(*add), None),
            [norm] => (None, Some(*norm)),
            [add, norm] if is_add(add) => (Some(*add), Some(*norm)),
            _ => return None,
        };
        let whole = |id: NodeId| self.norm(id).filter(|op| op.dim == self.node(id).width).cloned();
        let mut last = match (norm, add) {
            (Some(norm), _) => norm,
            (None, Some(add)) => add,
            (None, None) => self.picked[input.0],
        };
        if last != self.picked[input.0] {
            return None;
        }
        if let Some(norm) = norm {
            last = self.input(norm, 0)?;
        }
        let mut residual = None;
        if let Some(add) = add {
            let (a, b) = (self.input(add, 0)?, self.input(add, 1)?);
            if last != add {
                return None;
            }
            let (from, branch) = if post_norm == Some(a) { (b, a) } else { (a, b) };
            residual = Some((from, add));
            last = branch;
        }
        if let Some(norm) = post_norm {
            if last != norm {
                return None;
            }
            last = self.input(norm, 0)?;
        }
        let norms = [post_norm, norm].map(|norm| norm.map(whole));
        let [None | Some(Some(_)), None | Some(Some(_))] = &norms else { return None };
        let [post_norm, norm] = norms.map(Option::flatten);
        Some(Before { source: last, post_norm, residual, norm, rows })
    }

    fn before_params(&mut self, before: &Before) -> Option<Vec<u32>> {
        let vector = |norm: &Option<RmsNorm>| norm.as_ref().map_or(Some(NONE), |norm| self.vector(norm.weight));
        let eps = |norm: &Option<RmsNorm>| norm.as_ref().map_or(0, |norm| norm.eps.to_bits());
        let (post_norm, norm) = (vector(&before.post_norm)?, vector(&before.norm)?);
        let (residual, sum) = match before.residual {
            Some((residual, sum)) => (self.row.places[residual.0]?, self.place(sum)),
            None => (NONE, NONE),
        };
        let source = self.row.places[before.source.0]?;
        let width = self.node(before.source).width as u32;
        Some(vec![source, residual, sum, post_norm, eps(&before.post_norm), norm, eps(&before.norm), width])
    }

    /// Notes that these calls make these values, by the work of `nodes`.
    fn made(&mut self, values: &[NodeId], inputs: &[NodeId], nodes: &[NodeId], calls: Range<usize>) {
        for value in values {
            let fused = Fused { inputs: inputs.to_vec(), nodes: nodes.to_vec() };
            self.row.made[value.0] = Some(Made { fused, calls: calls.clone() });
        }
    }

    /// Products with the same input; of two of them their gate.
    fn products(&mut self, nodes: &[NodeId], gated: Option<NodeId>) -> Option<()> {
        let input = *self.node(*nodes.first()?).inputs.first()?;
        let before = self.before(input)?;
        let from = self.calls.len();
        self.product_calls(nodes, gated, input, &before)?;
        let (inputs, calls) = (before.inputs(), from..self.calls.len());
        if let Some((_, sum)) = before.residual {
            self.made(&[sum], &inputs, &before.rows, from..from + 1);
        }
        match gated {
            Some(gated) => self.made(&[gated], &inputs, &[&before.rows, nodes, &[gated]].concat(), calls),
            None => self.made(nodes, &inputs, &[&before.rows, nodes].concat(), calls),
        }
        Some(())
    }

    fn product_calls(&mut self, nodes: &[NodeId], gated: Option<NodeId>, input: NodeId, before: &Before) -> Option<()> {
        let width = self.node(input).width;
        let params = self.before_params(before)?;
        // The logits are too many to stay in the row, and too wide for every group to make the input again.
        let logits = nodes.iter().any(|id| self.node(*id).rows == Rows::Wanted && self.is_head(*id));
        let given = logits || width > MOST_COLUMNS;
        if given {
            self.row_call(input, params.clone());
        }
        if logits {
            for id in nodes {
                let Op::Matmul(op) = &self.node(*id).op else { return None };
                let Held::Packed { .. } = &self.choice.held[op.weight.0] else { return None };
                let mut quantised = Some(input);
                self.choice.matmul(*id, self.node(*id), op, true, &mut quantised, &mut self.calls).ok()?;
            }
            return Some(());
        }
        let matrices: Vec<Matrix> = nodes.iter().map(|id| self.matrix(*id)).collect::<Option<_>>()?;
        let layouts: Vec<Layout> = matrices.iter().map(|matrix| matrix.layout).collect();
        let low = &matrices.first()?.part.low.buffer;
        let stacked = matrices.iter().all(|matrix| matrix.part.low.buffer == *low);
        let input = if given { Input::Given } else { Input::Made };
        match together(&layouts).filter(|_| stacked) {
            Some(codes) => self.product(&matrices, codes, input, &params, gated),
            None if gated.is_some() => None,
            None => matrices.iter().try_for_each(|matrix| {
                let codes = weights::codes(&matrix.layout).ok()?;
                self.product(std::slice::from_ref(matrix), codes, input, &params, None)
            }),
        }
    }

    /// Whether nothing but a cap of the logits comes after it.
    fn is_head(&self, id: NodeId) -> bool {
        let after = &self.choice.graph.nodes[id.0 + 1..];
        after.iter().all(|node| matches!(node.op, Op::Softcap(_)))
    }

    fn matrix(&self, id: NodeId) -> Option<Matrix<'a>> {
        let Op::Matmul(op) = &self.node(id).op else { return None };
        let Held::Packed { layout, parts } = &self.choice.held[op.weight.0] else { return None };
        let [part] = parts.as_slice() else { return None };
        let cols = self.choice.graph.weight(op.weight).cols;
        let bias = op.bias.map_or(Some(NONE), |bias| self.vector(bias))?;
        Some(Matrix { node: id, weight: op.weight, bias, layout: *layout, part, cols })
    }

    fn row_call(&mut self, input: NodeId, mut params: Vec<u32>) {
        let node = self.node(input);
        params.push(self.reserve(node.width));
        self.calls.push(Call {
            node: input,
            kernel: Kernel::StageRow(self.choice.form(input)),
            constants: Vec::new(),
            params,
            bindings: vec![Bound::Vectors, Bound::Row, Bound::Integers],
            slot: None,
            grid: Grid { x: 1, rows: 1, z: 1, over: Rows::All },
            work: node.width as u64,
            weight_bytes: 0,
        });
    }

    fn product(
        &mut self,
        matrices: &[Matrix<'_>],
        codes: Codes,
        input: Input,
        before: &[u32],
        gated: Option<NodeId>,
    ) -> Option<()> {
        let first = matrices.first()?;
        let blocks = first.cols / BLOCK;
        let tiles: usize = matrices.iter().map(Matrix::tiles).sum();
        let mut params = before.to_vec();
        params.extend([blocks as u32, tiles as u32, 0, 0]);
        for i in 0..PARTS {
            match matrices.get(i) {
                Some(matrix) => {
                    let out = self.place(gated.unwrap_or(matrix.node));
                    params.extend(matrix.params(out));
                }
                None => params.extend([NONE].into_iter().chain([0; 15])),
            }
        }
        // Short rows have but four segments to share.
        let split = if first.cols <= 4 * SEGMENT { 4 } else { 8 };
        let group = SIXTEENS / split;
        let groups = if gated.is_some() { first.tiles().div_ceil(group / 2) } else { tiles.div_ceil(group) };
        let mut constants = if codes == Codes::Mixed { Vec::new() } else { weights::constants(&first.layout) };
        constants.push(("SPLIT", split as f64));
        if let Some(gated) = gated {
            let Op::Gated(op) = &self.node(gated).op else { return None };
            // The kernel gates sums as they are.
            if matrices.len() != 2 || matrices.iter().any(|matrix| matrix.bias != NONE) {
                return None;
            }
            constants.push(("GATED", 1.0));
            constants.push(("GELU", f64::from(u8::from(op.activation == Activation::GeluTanh))));
        }
        let form = self.choice.form(self.input(first.node, 0)?);
        let products = Products { codes, scales: weights::scales(&first.layout), activations: form };
        let has_high = matrices.iter().find(|matrix| matrix.part.high.is_some()).unwrap_or(first);
        let mut bindings = vec![
            Bound::Stack(first.weight, Plane::Low),
            Bound::Stack(has_high.weight, Plane::High),
            Bound::Stack(first.weight, Plane::Scales),
            Bound::Vectors,
            Bound::Row,
        ];
        if input == Input::Given {
            bindings.push(Bound::Integers);
        }
        self.calls.push(Call {
            node: gated.unwrap_or(matrices.last()?.node),
            kernel: Kernel::StageProduct(products, input),
            constants,
            params,
            bindings,
            slot: None,
            grid: Grid { x: groups as u32, rows: 1, z: 1, over: Rows::All },
            work: matrices.iter().map(|matrix| (matrix.part.rows.len() * matrix.cols) as u64).sum(),
            weight_bytes: matrices.iter().map(|matrix| matrix.part.bytes()).sum(),
        });
        Some(())
    }

    /// The waiting rows, between products and attention, and attention itself.
    fn heads(&mut self, id: NodeId) -> Option<()> {
        let Op::Attend(op) = &self.node(id).op else { return None };
        let slot = &self.choice.graph.slots[op.slot.0];
        let mut taken = 1; // The append.
        // From a head back to its product: rope, and perhaps a norm.
        let mut back = |rope: NodeId| {
            let Op::Rope(op) = &self.node(rope).op else { return None };
            let input = self.input(rope, 0)?;
            taken += 1;
            match self.norm(input) {
                Some(norm) if norm.dim == slot.head_dim => {
                    taken += 1;
                    Some((self.input(input, 0)?, op, Some(norm)))
                }
                Some(_) => None,
                None => Some((input, op, None)),
            }
        };
        let append = self.input(id, 1)?;
        let Op::Append(_) = &self.node(append).op else { return None };
        let (q, rope, q_norm) = back(self.input(id, 0)?)?;
        let (k, k_rope, k_norm) = back(self.input(append, 0)?)?;
        let v = self.input(append, 1)?;
        let eps = q_norm.or(k_norm).map_or(0.0, |norm| norm.eps);
        let same_eps = [q_norm, k_norm].into_iter().flatten().all(|norm| norm.eps.to_bits() == eps.to_bits());
        if rope != k_rope || !same_eps || taken != self.rows.len() {
            return None;
        }
        let from = self.calls.len();
        let rows = [std::mem::take(&mut self.rows), vec![id]].concat();
        let weight = |norm: Option<&RmsNorm>| norm.map_or(Some(NONE), |norm| self.vector(norm.weight));
        let (q_weight, k_weight) = (weight(q_norm)?, weight(k_norm)?);
        let inputs = [q, k, v];
        let [q, k, v] = inputs.map(|id| self.row.places[id.0]);
        let out = self.place(id);
        let adjacent = u32::from(rope.pairing == Pairing::Adjacent);
        let turns = self.choice.ropes.iter().position(|one| one == rope)?;
        // The plain call knows which heads there are kernels for.
        let plain = self.choice.simple(id, self.node(id)).ok()?;
        self.calls.push(Call {
            kernel: Kernel::StageHeads(self.choice.kv()),
            constants: Vec::new(),
            params: vec![q?, k?, v?, out, q_weight, k_weight, eps.to_bits(), rope.dims as u32, adjacent],
            bindings: vec![Bound::Turns(turns), Bound::Vectors, Bound::Row],
            grid: Grid { over: Rows::All, ..plain.grid },
            ..plain
        });
        self.made(&[id], &inputs, &rows, from..from + 1);
        Some(())
    }
}

/// A matrix of a product.
struct Matrix<'a> {
    node: NodeId,
    weight: WeightId,
    /// Place of the bias among the vectors.
    bias: u32,
    layout: Layout,
    part: &'a PackedPart,
    cols: usize,
}

impl Matrix<'_> {
    fn tiles(&self) -> usize {
        self.part.rows.len().div_ceil(TILE)
    }

    /// `Part` of `stages/product.wgsl`. Planes begin where tile 0 of the whole stack would be, which may be before the
    /// buffer does: kernels count in u32, which wraps.
    fn params(&self, out: u32) -> [u32; 16] {
        let tile = self.layout.tile_bytes(self.cols);
        let first = self.part.low.offset / tile.low.max(1) as u64;
        let from_zero =
            |offset: u64, bytes: usize, unit: u64| (offset / unit).wrapping_sub(first * (bytes as u64 / unit)) as u32;
        let scales = self.part.scales.offset;
        let [d, m, sub, submin] = self.part.places.map(|words| scales + 4 * u64::from(words));
        let high = self.part.high.as_ref().map_or(0, |high| from_zero(high.offset, tile.high, 16));
        [
            first as u32,
            out,
            self.bias,
            from_zero(d, tile.d, 4),
            from_zero(m, tile.m, 4),
            from_zero(sub, tile.sub, 4),
            from_zero(submin, tile.submin, 4),
            high,
            u32::from(self.layout.high),
            u32::from(self.layout.bias),
            u32::from(self.layout.min),
            weights::groups(&self.layout),
            0,
            0,
            0,
            0,
        ]
    }
}
