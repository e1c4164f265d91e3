//! Known bugs of GPU drivers, to be tried on a device: minimal shaders with what goes in and what must come out. The
//! list and the shaders are in `shaders/corpus`; each entry says where its bug was reported. What must come out was worked
//! out by hand, never on a GPU.

use super::adapter::{Adapter, Tier};
use super::device::Opened;
use super::pipelines;
use crate::{Error, Result};
use kinglet_shaders::{Binding, corpus as files};
use serde::Deserialize;
use std::iter;
use wgpu::{BufferUsages, ComputePipeline};

/// How often an entry runs in each of its two forms, unless it says otherwise.
const RUNS: usize = 3;
/// Words of input that are uploaded at a time: 4 MiB.
const PIECE: usize = 1 << 20;

/// What a device made of the corpus.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The device.
    pub adapter: Adapter,
    /// Each entry, in the order in which they ran.
    pub tried: Vec<Tried>,
}

/// One entry, tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The name of its shader.
    pub name: String,
    /// The bug, in one sentence.
    pub what: String,
    /// Where it was reported: addresses of web pages.
    pub sources: Vec<String>,
    /// Whether this device has it.
    pub outcome: Outcome,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All runs gave what they must.
    Passed,
    /// One gave something else.
    Failed(Wrong),
    /// The device or its driver would not take the shader or its buffers: what it said.
    Refused(String),
    /// The device was lost or did not answer: what was heard of it. The next entry got a new one, if there was any.
    Lost(String),
    /// It did not run: what the device lacks.
    Skipped(String),
}

/// The first word that is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its place in the output.
    pub index: usize,
    /// What the device wrote, or the complement of `expected` if it wrote nothing.
    pub got: u32,
    /// What it must be.
    pub expected: u32,
    /// Whether the shader had wgpu's checks, as the kernels of tier 0 have.
    pub checked: bool,
    /// Whether all runs gave the same.
    pub steady: bool,
}

impl Outcome {
    /// `passed`, `failed`, `refused`, `lost` or `skipped`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Refused(_) => "refused",
            Self::Lost(_) => "lost",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Why it did not pass.
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Passed => None,
            Self::Failed(wrong) => Some(wrong.to_string()),
            Self::Refused(why) | Self::Lost(why) | Self::Skipped(why) => Some(why.clone()),
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { index, got, expected, checked, steady } = self;
        let form = if *checked { "checked" } else { "unchecked" };
        write!(f, "word {index} is {got:#x}, not {expected:#x} ({form}")?;
        if !steady {
            write!(f, ", differs between runs")?;
        }
        write!(f, ")")
    }
}

/// An entry as `corpus.json` has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The name of its shader.
    name: String,
    what: String,
    sources: Vec<String>,
    /// Whether it needs subgroups.
    #[serde(default)]
    subgroups: bool,
    /// Binding 0.
    input: Words,
    /// Binding 1 after a run.
    expected: Words,
    /// Groups in x and y.
    #[serde(default = "one_group")]
    groups: (u32, u32),
    /// How far the bits of a number may be off.
    #[serde(default)]
    ulps: u32,
    #[serde(default = "runs")]
    runs: usize,
}

fn one_group() -> (u32, u32) {
    (1, 1)
}

fn runs() -> usize {
    RUNS
}

/// Words of a buffer.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Words {
    /// These.
    Given(Vec<Word>),
    /// The numbers from 0 on.
    Count {
        /// How many.
        count: u32,
    },
}

/// A word as people write it: `1.0` is a float, `1` is none, a text is hexadecimal.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Word {
    Unsigned(u32),
    Signed(i32),
    Float(f32),
    #[serde(deserialize_with = "bits")]
    Bits(u32),
}

fn bits<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<u32, D::Error> {
    let text = String::deserialize(from)?;
    let digits = text.strip_prefix("0x").unwrap_or_default();
    u32::from_str_radix(digits, 16).map_err(serde::de::Error::custom)
}

impl Words {
    fn len(&self) -> usize {
        match self {
            Self::Given(words) => words.len(),
            Self::Count { count } => *count as usize,
        }
    }

    /// The word at `index`, which must be less than [`len`](Self::len); 0 beyond.
    fn at(&self, index: usize) -> u32 {
        match self {
            Self::Count { .. } => index as u32,
            Self::Given(words) => match words.get(index) {
                None => 0,
                Some(Word::Unsigned(word) | Word::Bits(word)) => *word,
                Some(Word::Signed(word)) => *word as u32,
                Some(Word::Float(number)) => number.to_bits(),
            },
        }
    }
}

/// Tries the corpus on the adapter whose name contains `adapter`, or on the best one. `progress` is told of each entry
/// when it has run. Before that the entry's name is logged: a driver may end the process.
///
/// # Errors
/// [`Error::NoGpu`] if no adapter can be opened.
pub fn corpus(adapter: Option<&str>, progress: &mut dyn FnMut(&Tried)) -> Result<Corpus> {
    let list: Vec<Entry> = serde_json::from_str(files::LIST)
        .map_err(|error| Error::Option { name: "corpus".into(), what: format!("cannot be read: {error}") })?;
    try_all(list, || Opened::open(adapter, None, None), progress)
}

/// Tries each entry, on a new device where the last one is not to be trusted any more.
fn try_all(list: Vec<Entry>, open: impl Fn() -> Result<Opened>, progress: &mut dyn FnMut(&Tried)) -> Result<Corpus> {
    let mut gpu = open()?;
    let mut tried = Vec::new();
    for entry in list {
        log::info!("gpu corpus: {}", entry.name);
        let outcome = entry.run(&gpu)?;
        if matches!(outcome, Outcome::Lost(_)) {
            // Where none opens, the next entry finds the old one still lost.
            gpu = open().unwrap_or(gpu);
        }
        let Entry { name, what, sources, .. } = entry;
        let one = Tried { name, what, sources, outcome };
        progress(&one);
        tried.push(one);
    }
    Ok(Corpus { adapter: (*gpu.facts).clone(), tried })
}

impl Entry {
    /// Runs it with wgpu's checks, as tier 0 runs its kernels, and without them, as the others do.
    fn run(&self, gpu: &Opened) -> Result<Outcome> {
        if let Some(lacks) = Tier::Subgroup.lacks(&gpu.facts).filter(|_| self.subgroups) {
            return Ok(Outcome::Skipped(format!("no {lacks}")));
        }
        match self.wrong(gpu) {
            Ok(None) => Ok(Outcome::Passed),
            Ok(Some(wrong)) => Ok(Outcome::Failed(wrong)),
            Err(Error::GpuLost(why)) => Ok(Outcome::Lost(why)),
            Err(Error::Gpu { why, .. }) => Ok(Outcome::Refused(why)),
            Err(error @ Error::OutOfMemory { .. }) => Ok(Outcome::Refused(error.to_string())),
            Err(other) => Err(other),
        }
    }

    /// The first wrong word of the first form that has one.
    fn wrong(&self, gpu: &Opened) -> Result<Option<Wrong>> {
        let buffers = Buffers::new(gpu, self)?;
        for checked in [true, false] {
            let pipeline = self.pipeline(gpu, &buffers, checked)?;
            let outputs: Vec<_> =
                iter::repeat_with(|| buffers.run(gpu, self, &pipeline)).take(self.runs).collect::<Result<_>>()?;
            let steady = outputs.windows(2).all(|pair| pair[0] == pair[1]);
            if let Some((index, got)) = outputs.iter().find_map(|output| self.first_wrong(output)) {
                return Ok(Some(Wrong { index, got, expected: self.expected.at(index), checked, steady }));
            }
        }
        Ok(None)
    }

    fn first_wrong(&self, output: &[u32]) -> Option<(usize, u32)> {
        let is_wrong = |(index, got): &(usize, u32)| self.expected.at(*index).abs_diff(*got) > self.ulps;
        output.iter().copied().enumerate().find(is_wrong)
    }

    fn pipeline(&self, gpu: &Opened, buffers: &Buffers, checked: bool) -> Result<ComputePipeline> {
        let name = self.name.as_str();
        let text = files::shader(name).unwrap_or_default();
        gpu.scoped(name, || {
            let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &[Some(&buffers.layout)],
                immediate_size: 0,
            });
            gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&layout),
                module: &pipelines::module(gpu, name, text, checked),
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Like the kernels.
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            })
        })
    }
}

/// An entry's buffers.
struct Buffers {
    layout: wgpu::BindGroupLayout,
    group: wgpu::BindGroup,
    output: wgpu::Buffer,
    /// The output on its way to the host.
    back: wgpu::Buffer,
}

impl Buffers {
    fn new(gpu: &Opened, entry: &Entry) -> Result<Self> {
        let name = entry.name.as_str();
        let (into, out_of) = (4 * entry.input.len() as u64, 4 * entry.expected.len() as u64);
        let input = gpu.buffer(name, into, BufferUsages::STORAGE | BufferUsages::COPY_DST)?;
        let output =
            gpu.buffer(name, out_of, BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC)?;
        let back = gpu.buffer(name, out_of, BufferUsages::MAP_READ | BufferUsages::COPY_DST)?;
        for start in (0..entry.input.len()).step_by(PIECE) {
            let end = entry.input.len().min(start + PIECE);
            let piece: Vec<u32> = (start..end).map(|index| entry.input.at(index)).collect();
            gpu.queue.write_buffer(&input, 4 * start as u64, bytemuck::cast_slice(&piece));
            // What was written waits in memory of its own until something is submitted.
            let written = gpu.submit([]);
            gpu.wait(written)?;
        }
        let (layout, group) = gpu.scoped(name, || {
            let layout = pipelines::layout(gpu, name, &[Binding::Read, Binding::Write]);
            let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
            let desc = wgpu::BindGroupDescriptor {
                label: Some(name),
                layout: &layout,
                entries: &[entry(0, input.as_entire_binding()), entry(1, output.as_entire_binding())],
            };
            let group = gpu.device.create_bind_group(&desc);
            (layout, group)
        })?;
        Ok(Self { layout, group, output, back })
    }

    /// One run. Words that are not written differ from what is expected.
    fn run(&self, gpu: &Opened, entry: &Entry, pipeline: &ComputePipeline) -> Result<Vec<u32>> {
        let unwritten: Vec<u32> = (0..entry.expected.len()).map(|index| !entry.expected.at(index)).collect();
        gpu.queue.write_buffer(&self.output, 0, bytemuck::cast_slice(&unwritten));
        let commands = gpu.scoped(&entry.name, || {
            let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, &self.group, &[]);
                pass.dispatch_workgroups(entry.groups.0, entry.groups.1, 1);
            }
            encoder.copy_buffer_to_buffer(&self.output, 0, &self.back, 0, self.back.size());
            encoder.finish()
        })?;
        let submission = gpu.submit([commands]);
        let mut output = unwritten;
        gpu.read(&self.back, submission, &mut output)?;
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn list() -> Vec<Entry> {
        serde_json::from_str(files::LIST).unwrap()
    }

    fn entry(name: &str) -> Entry {
        list().into_iter().find(|entry| entry.name == name).unwrap()
    }

    fn open() -> Result<Opened> {
        Opened::open(None, None, None)
    }

    /// What became of these.
    fn outcomes(list: Vec<Entry>, open: impl Fn() -> Result<Opened>) -> Vec<Outcome> {
        let corpus = try_all(list, open, &mut |_| {}).expect("a GPU; install Mesa's software Vulkan");
        corpus.tried.into_iter().map(|tried| tried.outcome).collect()
    }

    #[test]
    fn every_entry_is_complete() {
        for entry in list() {
            let name = &entry.name;
            assert!(entry.what.len() > 20 && entry.expected.len() > 0 && entry.input.len() > 0, "{name}");
            assert!(!entry.sources.is_empty(), "{name}");
            assert!(entry.sources.iter().all(|source| source.starts_with("https://")), "{name}");
            assert!(entry.runs >= RUNS, "{name}");
        }
    }

    #[test]
    fn the_list_the_folder_and_what_is_embedded_are_the_same() {
        let listed: Vec<String> = list().into_iter().map(|entry| entry.name).collect();
        let embedded: Vec<&str> = files::SHADERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, embedded);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shaders/corpus");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".wgsl").map(String::from))
            .collect();
        names.sort();
        let mut listed = listed;
        listed.sort();
        assert_eq!(names, listed);
    }

    #[test]
    fn words_are_written_as_people_read_them() {
        let words: Words = serde_json::from_str(r#"[1, -1, 1.0, "0x80000001"]"#).unwrap();
        let bits: Vec<u32> = (0..words.len()).map(|index| words.at(index)).collect();
        assert_eq!(bits, [1, u32::MAX, 0x3f80_0000, 0x8000_0001]);
        let count: Words = serde_json::from_str(r#"{"count": 7}"#).unwrap();
        assert_eq!((count.len(), count.at(6)), (7, 6));
        assert!(serde_json::from_str::<Words>(r#"["80"]"#).is_err());
    }

    #[test]
    fn a_wrong_word_is_found_with_its_place() {
        let mut entry = entry("const_array");
        let right = (0..8).map(|index| Word::Unsigned(entry.expected.at(index))).collect::<Vec<_>>();
        let mut wrong = right.clone();
        wrong[5] = Word::Unsigned(96);
        entry.expected = Words::Given(wrong.clone());
        let expected = Wrong { index: 5, got: 95, expected: 96, checked: true, steady: true };
        assert_eq!(outcomes(vec![entry.clone()], open), [Outcome::Failed(expected)]);
        assert_eq!(Outcome::Failed(expected).why().unwrap(), "word 5 is 0x5f, not 0x60 (checked)");
        // One more or less may be allowed, and a word that is not written is wrong.
        entry.ulps = 1;
        assert_eq!(outcomes(vec![entry.clone()], open), [Outcome::Passed]);
        entry.expected = Words::Given([right, vec![Word::Unsigned(7)]].concat());
        let expected = Wrong { index: 8, got: !7, expected: 7, checked: true, steady: true };
        assert_eq!(outcomes(vec![entry], open), [Outcome::Failed(expected)]);
    }

    #[test]
    fn a_lost_device_is_told_and_replaced() {
        let opened = std::cell::Cell::new(0);
        let open = || {
            let first = opened.replace(opened.get() + 1) == 0;
            Opened::open(None, None, first.then_some(2))
        };
        let found = outcomes(vec![entry("const_array"), entry("workgroup_sum")], open);
        assert!(matches!(&found[..], [Outcome::Lost(why), Outcome::Passed] if !why.is_empty()), "{found:?}");
        assert_eq!(opened.get(), 2);
        // With nothing to replace it, the others are lost too.
        let once = std::cell::Cell::new(true);
        let open = || if once.replace(false) { Opened::open(None, None, Some(2)) } else { Err(Error::Suspended) };
        let found = outcomes(vec![entry("const_array"), entry("workgroup_sum")], open);
        assert!(matches!(&found[..], [Outcome::Lost(_), Outcome::Lost(_)]), "{found:?}");
    }

    #[test]
    fn what_the_device_will_not_take_is_refused() {
        let mut entry = entry("const_array");
        entry.groups = (1 << 20, 1);
        let found = outcomes(vec![entry, self::entry("workgroup_sum")], open);
        assert!(matches!(&found[..], [Outcome::Refused(why), Outcome::Passed] if !why.is_empty()), "{found:?}");
    }

    #[test]
    fn without_subgroups_an_entry_is_skipped() {
        let mut gpu = open().unwrap();
        std::sync::Arc::make_mut(&mut gpu.facts).features.clear();
        let found =
            list().iter().filter(|entry| entry.subgroups).map(|entry| entry.run(&gpu).unwrap()).collect::<Vec<_>>();
        assert!(found.len() >= 3);
        assert!(found.iter().all(|outcome| matches!(outcome, Outcome::Skipped(why) if why.contains("subgroups"))));
    }
}
