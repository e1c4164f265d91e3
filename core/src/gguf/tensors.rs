//! The tensor table: names, shapes and formats, each range checked against the file and against the others.

use super::reader::{Reader, malformed};
use crate::error::shown;
use crate::quant::{self, Format};
use crate::{Error, Result};
use std::ops::Range;

/// Bytes of the shortest entry: a name of one letter, one dimension, a type and an offset.
pub(super) const SHORTEST_ENTRY: usize = 8 + 1 + 4 + 8 + 4 + 8;
const LONGEST_NAME: usize = 256;
const MOST_DIMENSIONS: u32 = 4;

/// One tensor of the table.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// GGUF name, for instance `blk.3.attn_q.weight`.
    pub name: Box<str>,
    /// Dimensions in GGUF order: columns (the contiguous one) first. At least one, none zero.
    pub shape: Vec<usize>,
    /// How its values are stored; the file's numbers that no format has were refused when the file was opened.
    pub format: &'static Format,
    /// Bytes in the file (absolute).
    pub range: Range<usize>,
}

/// Reads and checks `count` entries and where they point to. The second result sorts the tensors by name.
pub(super) fn read(
    file: &[u8],
    reader: &mut Reader<'_>,
    count: usize,
    alignment: usize,
) -> Result<(Vec<TensorInfo>, Vec<u32>)> {
    let table = reader.at();
    // Each tensor but the last also fills at least one unit of the alignment, which bounds the table by the file.
    let least = count * SHORTEST_ENTRY + count.saturating_sub(1).saturating_mul(alignment);
    if least > file.len().saturating_sub(table) {
        return Err(malformed(table, format!("{count} tensors cannot fit into the rest of the file")));
    }
    let mut tensors = Vec::with_capacity(count);
    for _ in 0..count {
        tensors.push(entry(reader, alignment)?);
    }

    let data = reader.at().checked_next_multiple_of(alignment).unwrap_or(usize::MAX);
    for tensor in &mut tensors {
        let absolute = |at: usize| at.checked_add(data).filter(|at| *at <= file.len());
        let (Some(start), Some(end)) = (absolute(tensor.range.start), absolute(tensor.range.end)) else {
            return Err(malformed(
                data.saturating_add(tensor.range.start),
                format!(
                    "tensor {} takes {} bytes from there, but the file ends at {}",
                    shown(&tensor.name),
                    tensor.range.len(),
                    file.len()
                ),
            ));
        };
        tensor.range = start..end;
    }

    let mut order: Vec<u32> = (0..tensors.len() as u32).collect();
    let tensor = |i: &u32| &tensors[*i as usize];
    order.sort_unstable_by_key(|i| tensor(i).range.start);
    for (a, b) in order.iter().zip(order.iter().skip(1)).map(|(a, b)| (tensor(a), tensor(b))) {
        if b.range.start < a.range.end {
            let what = format!("tensor {} overlaps tensor {}", shown(&b.name), shown(&a.name));
            return Err(malformed(b.range.start, what));
        }
    }
    order.sort_unstable_by(|a, b| tensor(a).name.cmp(&tensor(b).name));
    for (a, b) in order.iter().zip(order.iter().skip(1)).map(|(a, b)| (tensor(a), tensor(b))) {
        if a.name == b.name {
            return Err(malformed(table, format!("tensor {} is there twice", shown(&a.name))));
        }
    }
    Ok((tensors, order))
}

/// One entry; its range still counts from the start of the data.
fn entry(reader: &mut Reader<'_>, alignment: usize) -> Result<TensorInfo> {
    let start = reader.at();
    let name = reader.string("a tensor's name")?;
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(malformed(start, format!("a tensor's name has {} bytes, not 1 to {LONGEST_NAME}", name.len())));
    }
    let title = shown(name);

    let at = reader.at();
    let dimensions = reader.u32(&format!("number of dimensions of tensor {title}"))?;
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(malformed(at, format!("tensor {title} has {dimensions} dimensions, not 1 to {MOST_DIMENSIONS}")));
    }
    let at = reader.at();
    let mut shape = Vec::with_capacity(dimensions as usize);
    for _ in 0..dimensions {
        let size = reader.u64(&format!("a dimension of tensor {title}"))?;
        let size = usize::try_from(size)
            .map_err(|_| malformed(at, format!("tensor {title} has a dimension of {size}, too large for any file")))?;
        shape.push(size);
    }
    if shape.contains(&0) {
        return Err(malformed(at, format!("tensor {title} has shape {shape:?} with a zero dimension")));
    }
    let overflow = || malformed(at, format!("tensor {title} has shape {shape:?}, too large for any file"));
    let weights = shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).ok_or_else(overflow)?;

    let number = reader.u32(&format!("type of tensor {title}"))?;
    let Some(format) = quant::by_ggml_type(number) else {
        return Err(Error::UnsupportedFormat {
            tensor: name.escape_debug().to_string(),
            format: quant::ggml_name(number).map_or_else(|| format!("type number {number}"), Into::into),
            known: quant::known(),
        });
    };
    let columns = shape.first().copied().unwrap_or_default();
    if !columns.is_multiple_of(format.weights) {
        return Err(malformed(
            at,
            format!(
                "tensor {title} has rows of {columns} weights, not a multiple of {}'s blocks of {}",
                format.name, format.weights
            ),
        ));
    }
    let bytes = (weights / format.weights).checked_mul(format.bytes).ok_or_else(overflow)?;

    let at = reader.at();
    let offset = reader.u64(&format!("offset of tensor {title}"))?;
    if !offset.is_multiple_of(alignment as u64) {
        return Err(malformed(at, format!("tensor {title} starts at {offset}, not a multiple of {alignment}")));
    }
    let range = usize::try_from(offset).ok().and_then(|start| Some(start..start.checked_add(bytes)?));
    let range = range.ok_or_else(|| malformed(at, format!("tensor {title} starts at {offset}, beyond any file")))?;
    Ok(TensorInfo { name: name.into(), shape, format, range })
}
