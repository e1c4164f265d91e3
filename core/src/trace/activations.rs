//! How large the values of a model become, and so what may be stored in less than f32.

use super::kept::Kept;
use super::report::layer;
use crate::backend::{Cancel, Program, Want};
use crate::graph::{Graph, NodeId, PrecisionPlan, Stored};
use crate::{Error, Result};
use serde::Serialize;

/// The largest number of f16.
pub const F16_MAX: f32 = 65_504.0;
/// Another text makes other values: what is to be stored in f16 must stay this many times below its largest number.
const HEADROOM: f32 = 16.0;

/// A node's largest value over a text.
#[derive(Clone, Debug, Serialize)]
pub struct Activation {
    /// Name, as GGUF names tensors.
    pub node: String,
    /// Its layer; `None` before the first and after the last.
    pub layer: Option<usize>,
    /// What it computes.
    pub op: &'static str,
    /// Largest magnitude.
    pub max_abs: f32,
    /// Times that it would be infinite in f16, or was not a number at all, over the text.
    pub over_f16: usize,
    /// The least that it may be stored in.
    pub stored: &'static str,
    /// Why it must be f32, if it must.
    pub why: Option<String>,
}

/// Runs a text of `ids` on a program that keeps all values, `chunk` tokens at a time, and looks at every node.
///
/// # Errors
/// The program's own, and [`Error::Option`] where it kept no values.
pub fn activations(
    graph: &Graph,
    program: &mut dyn Program,
    ids: &[u32],
    chunk: usize,
    cancel: &Cancel,
) -> Result<Vec<Activation>> {
    let mut state = program.state(ids.len())?;
    let mut largest = vec![(0.0f32, 0usize); graph.nodes.len()];
    let mut logits = Vec::new();
    for ids in ids.chunks(chunk.max(1)) {
        program.run(state.as_mut(), ids, Want::Last, &mut logits, cancel)?;
        let kept = Kept { program, logits: &logits };
        for (i, largest) in largest.iter_mut().enumerate() {
            for x in kept.value(graph, NodeId(i))? {
                largest.0 = largest.0.max(x.abs());
                largest.1 += usize::from(x.is_nan() || x.abs() > F16_MAX);
            }
        }
    }
    let one = |(i, (max_abs, over_f16)): (usize, (f32, usize))| {
        let node = &graph.nodes[i];
        let plan = PrecisionPlan::default().allow(&node.name, Stored::F16);
        let why = match plan.check(graph) {
            Err(Error::Precision { why, .. }) => Some(why),
            _ if over_f16 > 0 => Some(format!("it exceeds {F16_MAX}, or is not a number, {over_f16} times")),
            _ if max_abs * HEADROOM > F16_MAX => Some(format!("it reaches {max_abs}, too near to {F16_MAX}")),
            _ => None,
        };
        let stored = if why.is_some() { Stored::F32 } else { Stored::F16 };
        let (layer, op) = (layer(&node.name), node.op.name());
        Activation { node: node.name.clone(), layer, op, max_abs, over_f16, stored: stored.name(), why }
    };
    let has_value = |(i, _): &(usize, (f32, usize))| graph.nodes[*i].width > 0;
    Ok(largest.into_iter().enumerate().filter(has_value).map(one).collect())
}

/// The plan that follows: f16 where nothing speaks against it.
pub fn plan(activations: &[Activation]) -> PrecisionPlan {
    let less = activations.iter().filter(|activation| activation.stored == Stored::F16.name());
    less.fold(PrecisionPlan::default(), |plan, activation| plan.allow(&activation.node, Stored::F16))
}
