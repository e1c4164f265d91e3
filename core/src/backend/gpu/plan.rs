//! What the device is asked to do for a chunk: a list of calls, made from the graph once, as data.
//!
//! One list serves chunks of a few rows, whose products read each weight for one row at a time, and one serves chunks
//! of many. Both add up in the same order, so a token's logits do not depend on the list.

use super::pipelines::Constants;
use super::weights::{self, Held};
use crate::graph::{Graph, Node, NodeId, Rows, SlotId, WeightId};
use crate::ops::{Activation, Matmul, Op, Pairing, Rope};
use crate::precision::{Activations, KvType};
use crate::quant::{BLOCK, TILE};
use crate::{Error, Result};
use kinglet_shaders::{Activations as Form, Kernel, Kv, Products};

/// One kernel's run.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The node whose value it makes, or helps to make.
    pub(super) node: NodeId,
    pub(super) kernel: Kernel,
    pub(super) constants: Constants,
    pub(super) params: Vec<u32>,
    /// In the order of [`Kernel::bindings`] without the uniform.
    pub(super) bindings: Vec<Bound>,
    /// The layer whose cache it uses.
    pub(super) slot: Option<SlotId>,
    pub(super) grid: Grid,
    /// Multiplications a row, about: what a submission is bounded by.
    pub(super) work: u64,
    /// Bytes of weights that it reads.
    pub(super) weight_bytes: u64,
}

/// What is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Value(NodeId),
    /// The input of a product, quantised.
    Integers,
    /// Sine and cosine of a kind of rope.
    Turns(usize),
    Vector(WeightId),
    /// A plane of a part; the low one again where there is no high one.
    Packed(WeightId, usize, Plane),
    /// A part.
    Floats(WeightId, usize),
    /// A plane of a weight and of those that are stacked with it.
    Stack(WeightId, Plane),
    /// All vectors.
    Vectors,
    /// All values of one token.
    Row,
    /// Which of the best logits are wanted.
    Wish,
    /// Between which values the logits of tiles lie.
    Bounds,
    /// The threshold, and tiles that can reach it.
    Chosen,
    /// The best logits.
    Found,
    /// Something, where a kernel has a binding that it does not use.
    Nothing,
}

/// What a packed matrix is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    Low,
    High,
    Scales,
}

/// Groups of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) x: u32,
    /// Rows of a group in y.
    pub(super) rows: u32,
    pub(super) z: u32,
    /// Over which rows.
    pub(super) over: Rows,
}

impl Grid {
    /// Groups in y for so many rows.
    pub(super) fn y(&self, rows: usize) -> u32 {
        (rows as u32).div_ceil(self.rows)
    }
}

/// Chunks of at most so many rows take the list for a few.
pub(super) const FEW: usize = 3;
/// Rows of a group of [`Kernel::MatmulTile`].
const TILE_ROWS: u32 = 16;
/// Invocations of a group.
const LANES: u32 = 64;
/// Groups in x of [`Kernel::MatmulFloat`], and columns in x of [`Kernel::Softcap`]: more are in z.
const FLOAT_GROUPS: u32 = 32_768;
const SOFTCAP_COLUMNS: u32 = 1 << 21;
/// Floats of a head that the attention kernel has registers for.
const MOST_HEAD_DIM: usize = 512;

/// What the calls depend on beside the graph.
pub(super) struct Choice<'a> {
    pub(super) graph: &'a Graph,
    pub(super) held: &'a [Held],
    pub(super) activations: Activations,
    pub(super) kv: KvType,
    /// The kinds of rope, in the order of their tables.
    pub(super) ropes: &'a [Rope],
}

impl Choice<'_> {
    /// The calls for a chunk of a few rows, or of many.
    pub(super) fn calls(&self, few: bool) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        let mut quantised = None;
        for i in 0..self.graph.nodes.len() {
            let id = NodeId(i);
            let node = self.graph.node(id);
            match &node.op {
                Op::Embed(_) => {} // The CPU writes it.
                Op::Matmul(op) => self.matmul(id, node, op, few, &mut quantised, &mut calls)?,
                _ => calls.push(self.simple(id, node)?),
            }
        }
        Ok(calls)
    }

    /// How a value meets packed weights.
    pub(super) fn form(&self, value: NodeId) -> Form {
        match self.graph.entering(value, self.activations) {
            Activations::Int16 => Form::Int16,
            Activations::Int8 => Form::Int8,
            Activations::F32 => Form::F32,
        }
    }

    pub(super) fn kv(&self) -> Kv {
        match self.kv {
            KvType::F16 => Kv::F16,
            KvType::F32 => Kv::F32,
        }
    }

    /// A product: its input quantised if no call before has done so, then a call for each part of the matrix.
    pub(super) fn matmul(
        &self,
        id: NodeId,
        node: &Node,
        op: &Matmul,
        few: bool,
        quantised: &mut Option<NodeId>,
        calls: &mut Vec<Call>,
    ) -> Result<()> {
        let spec = self.graph.weight(op.weight);
        let input = node.inputs[0];
        let bias = op.bias.map_or(Bound::Nothing, Bound::Vector);
        let has_bias = ("HAS_BIAS", f64::from(u8::from(op.bias.is_some())));
        match &self.held[op.weight.0] {
            Held::Packed { layout, parts } => {
                let x = if self.activations == Activations::F32 { Bound::Value(input) } else { Bound::Integers };
                if x == Bound::Integers && *quantised != Some(input) {
                    calls.push(self.quantise(input));
                    *quantised = Some(input);
                }
                let (codes, scales) = (weights::codes(layout)?, weights::scales(layout));
                let products = Products { codes, scales, activations: self.form(input) };
                let mut constants = weights::constants(layout);
                constants.push(has_bias);
                if !few {
                    constants.push(picked(node));
                }
                let blocks = (spec.cols / BLOCK) as u32;
                for (i, part) in parts.iter().enumerate() {
                    let [d, m, sub, submin] = part.places;
                    let (rows, first) = (part.rows.len() as u32, part.rows.start as u32);
                    calls.push(Call {
                        node: id,
                        kernel: if few { Kernel::MatmulVector(products) } else { Kernel::MatmulTile(products) },
                        constants: constants.clone(),
                        params: vec![blocks, rows, first, spec.rows as u32, d, m, sub, submin],
                        bindings: vec![
                            Bound::Packed(op.weight, i, Plane::Low),
                            Bound::Packed(op.weight, i, Plane::High),
                            Bound::Packed(op.weight, i, Plane::Scales),
                            x,
                            bias,
                            Bound::Value(id),
                        ],
                        slot: None,
                        grid: Grid {
                            x: part.rows.len().div_ceil(TILE) as u32,
                            rows: if few { 1 } else { TILE_ROWS },
                            z: 1,
                            over: node.rows,
                        },
                        work: (part.rows.len() * spec.cols) as u64,
                        weight_bytes: part.bytes(),
                    });
                }
            }
            Held::Plain { plain, parts } => {
                for (i, part) in parts.iter().enumerate() {
                    let (rows, first) = (part.rows.len() as u32, part.rows.start as u32);
                    calls.push(Call {
                        node: id,
                        kernel: Kernel::MatmulFloat(*plain),
                        constants: vec![has_bias],
                        params: vec![spec.cols as u32, rows, first, spec.rows as u32],
                        bindings: vec![Bound::Floats(op.weight, i), Bound::Value(input), bias, Bound::Value(id)],
                        slot: None,
                        grid: Grid {
                            x: rows.min(FLOAT_GROUPS),
                            rows: 1,
                            z: rows.div_ceil(FLOAT_GROUPS),
                            over: node.rows,
                        },
                        work: (part.rows.len() * spec.cols) as u64,
                        weight_bytes: part.floats.bytes,
                    });
                }
            }
            Held::Vector(_) | Held::Table => {
                return Err(Error::Gpu { what: spec.name.clone(), why: "it is multiplied but is no matrix".into() });
            }
        }
        Ok(())
    }

    fn quantise(&self, input: NodeId) -> Call {
        let node = self.graph.node(input);
        let blocks = (node.width / BLOCK) as u32;
        Call {
            node: input,
            kernel: Kernel::Quantise(self.form(input)),
            constants: Vec::new(),
            params: vec![blocks],
            bindings: vec![Bound::Value(input), Bound::Integers],
            slot: None,
            grid: Grid { x: blocks.div_ceil(LANES), rows: 1, z: 1, over: node.rows },
            work: node.width as u64,
            weight_bytes: 0,
        }
    }

    /// Every other operation is one call.
    pub(super) fn simple(&self, id: NodeId, node: &Node) -> Result<Call> {
        let width = node.width as u32;
        let input = |i: usize| Bound::Value(node.inputs[i]);
        let out = Bound::Value(id);
        let columns = Grid { x: width.div_ceil(LANES), rows: 1, z: 1, over: node.rows };
        let flag = |name, on: bool| (name, f64::from(u8::from(on)));
        let call = |kernel, params, bindings, grid| Call {
            node: id,
            kernel,
            constants: Vec::new(),
            params,
            bindings,
            slot: None,
            grid,
            work: u64::from(width),
            weight_bytes: 0,
        };
        Ok(match &node.op {
            Op::RmsNorm(op) => {
                let groups = (node.width / op.dim) as u32;
                let params = vec![op.dim as u32, groups, op.eps.to_bits()];
                let bindings = vec![input(0), Bound::Vector(op.weight), out];
                call(Kernel::RmsNorm, params, bindings, Grid { x: groups, ..columns })
            }
            Op::Rope(op) => {
                let turns = self.ropes.iter().position(|rope| rope == op).unwrap_or_default();
                let adjacent = u32::from(op.pairing == Pairing::Adjacent);
                let params = vec![width, op.head_dim as u32, op.dims as u32, adjacent];
                call(Kernel::Rope, params, vec![Bound::Turns(turns), input(0), out], columns)
            }
            Op::Append(slot) => {
                let pairs = self.graph.slots[slot.0].width() as u32 / 2;
                let grid = Grid { x: pairs.div_ceil(LANES), ..columns };
                let call = call(Kernel::Append(self.kv()), Vec::new(), vec![input(0), input(1)], grid);
                Call { slot: Some(*slot), ..call }
            }
            Op::Attend(op) => {
                let slot = &self.graph.slots[op.slot.0];
                if slot.head_dim > MOST_HEAD_DIM || !slot.head_dim.is_multiple_of(2) {
                    return Err(Error::Gpu {
                        what: node.name.clone(),
                        why: format!("a head of {} floats; even numbers up to {MOST_HEAD_DIM} work", slot.head_dim),
                    });
                }
                let grid = Grid { x: op.heads as u32, ..columns };
                let call = call(Kernel::Attend(self.kv()), Vec::new(), vec![input(0), out], grid);
                Call { slot: Some(op.slot), constants: vec![picked(node)], ..call }
            }
            Op::Add => call(Kernel::Add, vec![width], vec![input(0), input(1), out], columns),
            Op::Gated(op) => {
                let call = call(Kernel::Gated, vec![width], vec![input(0), input(1), out], columns);
                Call { constants: vec![flag("GELU", op.activation == Activation::GeluTanh)], ..call }
            }
            Op::Softcap(op) => {
                let grid = Grid {
                    x: width.min(SOFTCAP_COLUMNS).div_ceil(LANES),
                    z: width.div_ceil(SOFTCAP_COLUMNS),
                    ..columns
                };
                call(Kernel::Softcap, vec![width, op.cap.to_bits()], vec![input(0), out], grid)
            }
            Op::PickRows => call(Kernel::PickRows, vec![width], vec![input(0), out], columns),
            Op::Embed(_) | Op::Matmul(_) => {
                return Err(Error::Gpu { what: node.name.clone(), why: "no single kernel computes it".into() });
            }
        })
    }
}

/// Whether a kernel's rows are the wanted ones.
fn picked(node: &Node) -> (&'static str, f64) {
    ("PICKED", f64::from(u8::from(node.rows == Rows::Wanted)))
}
