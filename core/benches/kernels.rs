//! How fast the CPU's kernels are, each as a program of one operation on one thread, run the way an app's model is.
//!
//! A product of one token is bound by memory and counts bytes of packed weights; one of 64 tokens is bound by the
//! processor and counts multiplications (`Gelem/s` are GMAC/s). The others count floats.
//!
//! ```sh
//! cargo bench -p kinglet                    # all
//! cargo bench -p kinglet -- q4_k/int16      # those whose names hold this
//! ```
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../tests/common/writer.rs"]
mod writer;

use criterion::{BenchmarkId, Criterion, Throughput};
use kinglet::backend::cpu::{Cpu, Isa, Options};
use kinglet::backend::{Cancel, Program, State, Want};
use kinglet::gguf::Gguf;
use kinglet::graph::{Builder, NodeId, Role, Slot};
use kinglet::guard::{Sort, Wire};
use kinglet::ops::{Attend, Embed, Matmul, Op, RmsNorm};
use kinglet::quant::{Packed, by_name};
use kinglet::schedule::Keep;
use kinglet::weights::Weights;
use kinglet::{Activations, KvType};
use std::time::Duration;
use writer::Writer;

/// Tokens of a chunk, and rows of the embedding.
const CHUNK: usize = 64;
/// Columns of a matrix: the width of a small model.
const COLS: usize = 1024;
/// Rows of a matrix: together they do not fit a cache that a phone has.
const ROWS: usize = 8192;

/// A program, a conversation, and what is fed to it.
struct Bench {
    program: Cpu,
    state: Box<dyn State>,
    past: usize,
}

impl Bench {
    /// The embedding, of `width` columns, and what `build` does to it with the other tensors of `file`.
    fn new(file: Writer, width: usize, activations: Activations, build: impl FnOnce(&mut Builder, NodeId)) -> Self {
        let values = (0..CHUNK * width).flat_map(|i| ((i % 37) as f32 - 18.0).to_le_bytes()).collect();
        let file = file.tensor("token_embd.weight", &[width as u64, CHUNK as u64], 0, values);
        let mut builder = Builder::default();
        let table = builder.weight("token_embd.weight", width, CHUNK, Role::Table);
        let x = builder.node("token_embd", Op::Embed(Embed { table, scale: 0.1 }), &[]);
        build(&mut builder, x);
        let graph = builder.finish();
        let weights = Weights::find(&Gguf::from_bytes(file.bytes()).unwrap(), &graph).unwrap();
        let options = Options {
            threads: 1,
            chunk: CHUNK,
            activations,
            kv: KvType::F16,
            plain: false,
            keep: Keep::Logits,
            isa: Isa::best(),
        };
        let program = Cpu::prepare(graph, weights, options, &mut |_, _| Ok(())).unwrap();
        let state = program.state(4096).unwrap();
        Self { program, state, past: 0 }
    }

    /// The same after `past` tokens.
    fn after(mut self, past: usize) -> Self {
        let ids: Vec<u32> = (0..past as u32).map(|i| i % CHUNK as u32).collect();
        self.past = past;
        self.feed(&ids);
        self
    }

    /// `count` tokens more.
    fn run(&mut self, count: usize) {
        let ids: [u32; CHUNK] = std::array::from_fn(|i| i as u32);
        self.state.truncate(self.past).unwrap();
        self.feed(&ids[..count]);
    }

    fn feed(&mut self, ids: &[u32]) {
        let state = self.state.as_mut();
        self.program.run(state, ids, Want::Nothing, &mut Vec::new(), &Cancel::default()).unwrap();
    }
}

/// Products with packed weights.
fn products(c: &mut Criterion) {
    for name in ["Q4_1", "Q5_0", "Q8_0", "Q4_K", "Q6_K"] {
        let format = by_name(name).unwrap();
        let bytes = ROWS * COLS / format.weights * format.bytes;
        // Which weights they are does not change the time; these are finite in every format.
        let file = Writer::default().tensor("w", &[COLS as u64, ROWS as u64], format.ggml_type, vec![0x11; bytes]);
        for activations in [Activations::Int16, Activations::Int8] {
            let mut bench = Bench::new(file.clone(), COLS, activations, |builder, x| {
                let weight = builder.weight("w", COLS, ROWS, Role::Matrix);
                builder.node("product", Op::Matmul(Matmul { weight, bias: None }), &[x]);
            });
            let mut group = c.benchmark_group(format!("{name}/{activations:?}").to_lowercase());
            for count in [1, CHUNK] {
                group.throughput(match (count, format.packed) {
                    (1, Some((layout, _))) => Throughput::Bytes(Packed::size(layout, ROWS, COLS) as u64),
                    _ => Throughput::Elements((ROWS * COLS * count) as u64),
                });
                group.bench_function(BenchmarkId::from_parameter(count), |b| b.iter(|| bench.run(count)));
            }
        }
    }
}

/// Attention of 8 heads over 2 key/value heads, after 1,024 positions.
fn attention(c: &mut Criterion) {
    const PAST: usize = 1024;
    let (heads, head_dim) = (8, 64);
    let kv = Writer::default().tensor("kv", &[2 * head_dim as u64, CHUNK as u64], 0, vec![0x3d; 8 * head_dim * CHUNK]);
    let mut bench = Bench::new(kv, heads * head_dim, Activations::Int16, |builder, q| {
        // Keys and values are narrower than the queries, so they come from a table of their own.
        let kv = builder.weight("kv", 2 * head_dim, CHUNK, Role::Table);
        let kv = builder.node("kv", Op::Embed(Embed { table: kv, scale: 0.1 }), &[]);
        let slot = builder.slot(Slot { kv_heads: 2, head_dim, window: None });
        let cache = builder.node("append", Op::Append(slot), &[kv, kv]);
        let attend = Attend { slot, heads, scale: 0.125, softcap: None };
        builder.node("attend", Op::Attend(attend), &[q, cache]);
    })
    .after(PAST);
    let mut group = c.benchmark_group("attention");
    for count in [1, CHUNK] {
        // Keys and values that are read, and as many multiplications.
        group.throughput(Throughput::Elements((2 * heads * head_dim * count * (PAST + count.div_ceil(2))) as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |b| b.iter(|| bench.run(count)));
    }
}

/// The norm before a product, and the activations' way to integers: what the second takes beyond the first, but for a
/// product with one tile of weights.
fn rows(c: &mut Criterion) {
    let weights = || Writer::default().tensor("norm", &[COLS as u64], 0, 1f32.to_le_bytes().repeat(COLS));
    let norm = |builder: &mut Builder, x| {
        let weight = builder.weight("norm", COLS, 1, Role::Vector);
        builder.node("norm", Op::RmsNorm(RmsNorm { weight, eps: 1e-6, dim: COLS }), &[x])
    };
    let mut group = c.benchmark_group("rms_norm");
    group.throughput(Throughput::Elements((COLS * CHUNK) as u64));
    let mut bench = Bench::new(weights(), COLS, Activations::Int16, |builder, x| {
        norm(builder, x);
    });
    group.bench_function("alone", |b| b.iter(|| bench.run(CHUNK)));
    for activations in [Activations::Int16, Activations::Int8] {
        let file = weights().tensor("w", &[COLS as u64, 64], 8, vec![0x11; COLS / 32 * 34 * 64]);
        let mut bench = Bench::new(file, COLS, activations, |builder, x| {
            let x = norm(builder, x);
            let weight = builder.weight("w", COLS, 64, Role::Matrix);
            builder.node("product", Op::Matmul(Matmul { weight, bias: None }), &[x]);
        });
        let name = format!("and quantise {activations:?}").to_lowercase();
        group.bench_function(name, |b| b.iter(|| bench.run(CHUNK)));
    }
}

/// What watching a GPU's answer takes for a token, with a vocabulary of 262,144; counts logits. `few` is greedy decoding,
/// where all but some are left out.
fn trip_wire(c: &mut Criterion) {
    const VOCAB: usize = 262_144;
    let mut group = c.benchmark_group("trip_wire");
    group.throughput(Throughput::Elements(VOCAB as u64));
    let all: Vec<f32> = (0..VOCAB as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e6).collect();
    let few: Vec<f32> = all.iter().map(|l| if *l > 16.77 { *l } else { f32::NEG_INFINITY }).collect();
    for (name, row) in [("all", all), ("few", few)] {
        let (mut wire, mut id) = (Wire::default(), 0);
        group.bench_function(name, |b| {
            b.iter(|| {
                id += 1;
                wire.token(id, Sort::Text, &row)
            });
        });
    }
    group.finish();
}

fn main() {
    println!("kernels: {}", Isa::best().name());
    let time = Duration::from_secs(1);
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(time / 2)
        .measurement_time(time)
        .without_plots()
        .configure_from_args();
    products(&mut criterion);
    attention(&mut criterion);
    rows(&mut criterion);
    trip_wire(&mut criterion);
    criterion.final_summary();
}
