//! The graph's weights in a file: names looked up, shapes and formats checked once, bytes handed out as they lie.

use crate::gguf::Gguf;
use crate::graph::{Graph, Role, WeightId};
use crate::quant::Format;
use crate::{Error, Result};
use std::ops::Range;

/// Every weight of a graph, found in a file.
#[derive(Clone)]
pub struct Weights {
    gguf: Gguf,
    found: Vec<Found>,
}

#[derive(Clone)]
struct Found {
    format: &'static Format,
    range: Range<usize>,
}

impl Weights {
    /// Finds each weight of `graph`; the tensor must have its shape and a known format, vectors must be plain floats.
    pub fn find(gguf: &Gguf, graph: &Graph) -> Result<Self> {
        let found = graph
            .weights
            .iter()
            .map(|spec| {
                let tensor = gguf.tensor(&spec.name).ok_or_else(|| Error::MissingTensor { name: spec.name.clone() })?;
                let expected = if spec.role == Role::Vector { vec![spec.cols] } else { vec![spec.cols, spec.rows] };
                if tensor.shape != expected {
                    return Err(Error::TensorShape { name: spec.name.clone(), found: tensor.shape.clone(), expected });
                }
                let format = tensor.format;
                if spec.role == Role::Vector && format.packed.is_some() {
                    return Err(Error::UnsupportedFormat {
                        tensor: spec.name.clone(),
                        format: format.name.into(),
                        known: "F32, F16, BF16 for vectors".into(),
                    });
                }
                Ok(Found { format, range: tensor.range.clone() })
            })
            .collect::<Result<_>>()?;
        Ok(Self { gguf: gguf.clone(), found })
    }

    /// How a weight is stored.
    pub fn format(&self, id: WeightId) -> &'static Format {
        self.found[id.0].format
    }

    /// A weight's bytes, rows one after the other.
    pub fn bytes(&self, id: WeightId) -> &[u8] {
        self.gguf.bytes(&self.found[id.0].range)
    }

    /// Dequantises a whole weight; meant for vectors.
    pub fn dequantise(&self, id: WeightId) -> Vec<f32> {
        let format = self.format(id);
        let bytes = self.bytes(id);
        let mut out = vec![0.0; bytes.len() / format.bytes * format.weights];
        (format.dequantise)(bytes, &mut out);
        out
    }

    /// Tells the system that a part of a weight's bytes is not needed soon. `part` counts from the weight's start.
    pub fn release(&self, id: WeightId, part: Range<usize>) {
        let start = self.found[id.0].range.start;
        self.gguf.release(start + part.start..start + part.end);
    }
}
