//! Bind groups: which buffers a call sees, made once.

use super::device::Opened;
use super::pipelines::Pipeline;
use super::plan::{Bound, Call};
use super::program::{Buffers, Turns};
use super::values::Values;
use super::weights::{Held, Weighted};
use crate::graph::{Graph, WeightId};
use crate::{Error, Result};
use wgpu::{BindGroup, Buffer, BufferBinding, BufferUsages};

/// Parameters of a call begin at multiples of this; more than any device asks for.
const PARAMS_ALIGN: usize = 256;

/// All parameters of a list in one buffer.
pub(super) fn params(opened: &Opened, calls: &[Call]) -> Result<Buffer> {
    let mut bytes = vec![0u8; calls.len() * PARAMS_ALIGN];
    for (call, to) in calls.iter().zip(bytes.chunks_exact_mut(PARAMS_ALIGN)) {
        let words: &[u8] = bytemuck::cast_slice(&call.params);
        to[..words.len()].copy_from_slice(words);
    }
    let buffer = opened.buffer("parameters", bytes.len() as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST)?;
    opened.queue.write_buffer(&buffer, 0, &bytes);
    Ok(buffer)
}

fn whole(buffer: &Buffer) -> (BufferBinding<'_>, u64) {
    (buffer.as_entire_buffer_binding(), buffer.size())
}

/// What bind groups are made of.
pub(super) struct Bind<'a> {
    pub(super) opened: &'a Opened,
    pub(super) graph: &'a Graph,
    pub(super) weighted: &'a Weighted,
    pub(super) values: &'a Values,
    pub(super) buffers: &'a Buffers,
    pub(super) turns: &'a [Turns],
}

impl Bind<'_> {
    pub(super) fn group(&self, call: &Call, pipeline: &Pipeline, params: &Buffer, index: usize) -> Result<BindGroup> {
        let bound: Option<Vec<_>> = call.bindings.iter().map(|bound| self.binding(*bound)).collect();
        let bound = bound.ok_or_else(|| Error::Gpu {
            what: self.graph.node(call.node).name.clone(),
            why: format!("a buffer of the kernel {} is missing", pipeline.name),
        })?;
        let mut bindings = vec![self.buffers.step.as_entire_binding()];
        if !call.params.is_empty() {
            bindings.push(wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: params,
                offset: (index * PARAMS_ALIGN) as u64,
                size: wgpu::BufferSize::new(PARAMS_ALIGN as u64),
            }));
        }
        bindings.extend(bound.into_iter().map(|(binding, _)| wgpu::BindingResource::Buffer(binding)));
        let entries: Vec<_> = bindings
            .into_iter()
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.opened.scoped(&pipeline.name, || {
            self.opened.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&pipeline.name),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }

    /// What is bound, and its bytes.
    pub(super) fn binding(&self, bound: Bound) -> Option<(BufferBinding<'_>, u64)> {
        let parts = |id: WeightId| match &self.weighted.held[id.0] {
            Held::Packed { parts, .. } => Some(parts),
            _ => None,
        };
        match bound {
            Bound::Value(id) => self.values.get(id).map(whole),
            Bound::Integers => Some(whole(&self.buffers.integers)),
            Bound::Turns(i) => Some(whole(&self.turns.get(i)?.buffer)),
            Bound::Vector(id) => match &self.weighted.held[id.0] {
                Held::Vector(slice) => Some(slice.binding()),
                _ => None,
            },
            Bound::Packed(id, i, which) => Some(parts(id)?.get(i)?.plane(which).binding()),
            Bound::Stack(id, which) => Some(whole(&parts(id)?.first()?.plane(which).buffer)),
            Bound::Floats(id, i) => match &self.weighted.held[id.0] {
                Held::Plain { parts, .. } => Some(parts.get(i)?.floats.binding()),
                _ => None,
            },
            Bound::Vectors => Some(whole(&self.weighted.vectors)),
            Bound::Row => Some(whole(&self.buffers.row)),
            Bound::Wish => Some(whole(&self.buffers.wish)),
            Bound::Bounds => Some(whole(&self.buffers.bounds)),
            Bound::Chosen => Some(whole(&self.buffers.chosen)),
            Bound::Found => Some(whole(&self.buffers.found)),
            Bound::Nothing => Some(whole(&self.buffers.nothing)),
        }
    }
}
