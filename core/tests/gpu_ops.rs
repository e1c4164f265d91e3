//! Every operation and format on the GPU, on every tier, against the reference, and integer products against the CPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/writer.rs"]
mod writer;

use common::models::data;
use common::tiers::tiers;
use kinglet::backend::cpu::{self, Cpu, Isa};
use kinglet::backend::gpu::{self, Gpu, Tier};
use kinglet::backend::reference::Reference;
use kinglet::backend::{Cancel, Program, Want};
use kinglet::gguf::Gguf;
use kinglet::graph::{Builder, Graph, PrecisionPlan, Role, Slot};
use kinglet::ops::{Activation, Attend, Embed, Gated, Matmul, NodeId, Op, Pairing, RmsNorm, Rope, Softcap};
use kinglet::precision::{Activations, KvType};
use kinglet::quant::{FORMATS, Format};
use kinglet::schedule::Keep;
use kinglet::weights::Weights;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use writer::Writer;

/// Tokens of a chunk; the embedding has as many rows.
const TOKENS: usize = 21;

/// Numbers that look random, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    /// From -1 to 1.
    fn float(&mut self) -> f32 {
        self.next() as f32 / (1u64 << 30) as f32 - 1.0
    }
    fn floats(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| size * self.float()).collect()
    }
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A matrix of blocks that another implementation made.
fn blocks(format: &Format, rows: usize, cols: usize, numbers: &mut Numbers) -> Vec<u8> {
    let file = std::fs::read(data(&format!("quant/{}.bin", format.name.to_lowercase()))).unwrap();
    let known = &file[..2 * 512 / format.weights * format.bytes];
    let count = known.len() / format.bytes;
    let block = |_| &known[numbers.next() as usize % count * format.bytes..][..format.bytes];
    (0..rows * cols / format.weights).flat_map(block).copied().collect()
}

/// A graph under test and its file.
struct Made {
    graph: Graph,
    weights: Weights,
}

impl Made {
    fn new(file: &Writer, builder: Builder) -> Self {
        let graph = builder.finish();
        let weights = Weights::find(&Gguf::from_bytes(file.bytes()).unwrap(), &graph).unwrap();
        Self { graph, weights }
    }

    fn gpu(&self, tier: Tier, activations: Activations) -> Gpu {
        let options = gpu::Options {
            adapter: None,
            tier: Some(tier),
            threads: 2,
            chunk: TOKENS,
            activations,
            kv: KvType::F32,
            plain: true,
            keep: Keep::All,
            deny: Vec::new(),
            precision: PrecisionPlan::default(),
            cache: None,
            lose_after: None,
        };
        Gpu::prepare(self.graph.clone(), self.weights.clone(), options, &mut |_, _| Ok(())).unwrap()
    }

    fn cpu(&self, activations: Activations) -> Cpu {
        let options = cpu::Options {
            threads: 1,
            chunk: TOKENS,
            activations,
            kv: KvType::F32,
            plain: true,
            keep: Keep::All,
            isa: Isa::best(),
        };
        Cpu::prepare(self.graph.clone(), self.weights.clone(), options, &mut |_, _| Ok(())).unwrap()
    }

    fn reference(&self) -> Reference {
        Reference::prepare(self.graph.clone(), self.weights.clone(), 1, TOKENS).unwrap()
    }

    /// Each node's values for these tokens, fed `feed` at a time.
    fn values(&self, program: &mut dyn Program, ids: &[u32], feed: usize) -> Vec<Vec<f32>> {
        let mut state = program.state(ids.len()).unwrap();
        let mut values = vec![Vec::new(); self.graph.nodes.len()];
        for ids in ids.chunks(feed) {
            program.run(state.as_mut(), ids, Want::All, &mut Vec::new(), &Cancel::default()).unwrap();
            for (i, values) in values.iter_mut().enumerate().filter(|(i, _)| self.graph.nodes[*i].width > 0) {
                // Which ones a device keeps is its own choice.
                values.extend(program.read(NodeId(i)).unwrap_or_default());
            }
        }
        values
    }
}

/// Mean square of the difference over the mean square.
fn nmse(found: &[f32], wanted: &[f32]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let square = |x: f64| x * x;
    let error: f64 = found.iter().zip(wanted).map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let size: f64 = wanted.iter().map(|b| square(f64::from(*b))).sum();
    error / size.max(f64::MIN_POSITIVE)
}

#[derive(Clone, Debug)]
struct Shape {
    /// Columns of the activations, in 256.
    wide: usize,
    /// Rows of each matrix.
    rows: usize,
    tokens: usize,
    /// Magnitude of the activations.
    size: f32,
    head_dim: usize,
    group: usize,
    window: Option<usize>,
    cap: Option<f32>,
    bias: bool,
    seed: u64,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let attention =
        (prop::sample::select(vec![16, 32, 64]), 1_usize..4, prop::option::of(1_usize..TOKENS), any::<bool>());
    let sizes = prop::sample::select(vec![1e-3f32, 1.0, 300.0]);
    // An error is measured against the energy of what is compared, which of a few outputs that cancel is nearly nothing:
    // never fewer than 48.
    (1_usize..5, 48_usize..200, 1..=TOKENS, sizes, attention, any::<bool>(), any::<u64>()).prop_map(
        |(wide, rows, tokens, size, (head_dim, group, window, capped), bias, seed)| Shape {
            wide,
            rows,
            tokens,
            size,
            head_dim,
            group,
            window,
            cap: capped.then_some(3.0),
            bias,
            seed,
        },
    )
}

/// Every operation, products in every format.
fn everything(shape: &Shape) -> Made {
    let mut numbers = Numbers(shape.seed);
    let cols = 256 * shape.wide;
    let mut builder = Builder::default();
    let table = numbers.floats(cols * TOKENS, shape.size);
    let mut file = Writer::default().tensor("x", &[cols as u64, TOKENS as u64], 0, bytes(&table));
    let table = builder.weight("x", cols, TOKENS, Role::Table);
    let x = builder.node("embed", Op::Embed(Embed { table, scale: 1.5 }), &[]);

    file = file.tensor("norm", &[cols as u64], 0, bytes(&numbers.floats(cols, 1.0)));
    let weight = builder.weight("norm", cols, 1, Role::Vector);
    builder.node("rms_norm", Op::RmsNorm(RmsNorm { weight, eps: 1e-6, dim: cols }), &[x]);
    file = file.tensor("norm_heads", &[32], 0, bytes(&numbers.floats(32, 1.0)));
    let weight = builder.weight("norm_heads", 32, 1, Role::Vector);
    builder.node("rms_norm of heads", Op::RmsNorm(RmsNorm { weight, eps: 1e-6, dim: 32 }), &[x]);

    file = file.tensor("bias", &[shape.rows as u64], 0, bytes(&numbers.floats(shape.rows, shape.size)));
    let bias = builder.weight("bias", shape.rows, 1, Role::Vector);
    let mut products = Vec::new();
    for format in FORMATS {
        let weights = blocks(format, shape.rows, cols, &mut numbers);
        file = file.tensor(format.name, &[cols as u64, shape.rows as u64], format.ggml_type, weights);
        let weight = builder.weight(format.name, cols, shape.rows, Role::Matrix);
        let op = Op::Matmul(Matmul { weight, bias: shape.bias.then_some(bias) });
        products.push(builder.node(format!("product {}", format.name), op, &[x]));
    }
    // Of the activations themselves, so that each operation's own error is seen.
    builder.node("add", Op::Add, &[x, x]);
    for activation in [Activation::Silu, Activation::GeluTanh] {
        builder.node(format!("gated {activation:?}"), Op::Gated(Gated { activation }), &[x, x]);
    }
    builder.node("softcap", Op::Softcap(Softcap { cap: 2.0 }), &[x]);
    for (pairing, dims) in [(Pairing::Adjacent, 32), (Pairing::Halves, 32), (Pairing::Halves, 16)] {
        let rope = Rope { head_dim: 32, dims, base: 1e4, scale: 0.5, pairing, factors: None };
        builder.node(format!("rope {pairing:?} {dims}"), Op::Rope(rope), &[x]);
    }

    // Heads of queries that all of them together are as wide as some power of two times the head.
    let (kv_heads, heads) = (2, 2 * shape.group);
    let size = shape.size.min(4.0);
    let mut part = |name: &str, width: usize| {
        let table = numbers.floats(width * TOKENS, size);
        file = file.clone().tensor(name, &[width as u64, TOKENS as u64], 0, bytes(&table));
        let table = builder.weight(name, width, TOKENS, Role::Table);
        builder.node(name, Op::Embed(Embed { table, scale: 1.0 }), &[])
    };
    let q = part("q", heads * shape.head_dim);
    let (k, v) = (part("k", kv_heads * shape.head_dim), part("v", kv_heads * shape.head_dim));
    let slot = builder.slot(Slot { kv_heads, head_dim: shape.head_dim, window: shape.window });
    let cache = builder.node("append", Op::Append(slot), &[k, v]);
    let attend = Attend { slot, heads, scale: 0.3, softcap: shape.cap };
    let seen = builder.node("attend", Op::Attend(attend), &[q, cache]);
    builder.node("pick_rows", Op::PickRows, &[seen]);
    Made::new(&file, builder)
}

#[test]
fn every_operation_and_format_meets_the_reference_on_every_tier() {
    let ids: Vec<u32> = (0..TOKENS as u32).collect();
    let worst = RefCell::new([(0.0, String::new()), (0.0, String::new()), (0.0, String::new())]);
    let mut runner =
        TestRunner::new(Config { cases: 3, max_shrink_iters: 8, failure_persistence: None, ..Config::default() });
    let result = runner.run(&shapes(), |shape| {
        let made = everything(&shape);
        let ids = &ids[..shape.tokens];
        let wanted = made.values(&mut made.reference(), ids, TOKENS);
        for tier in tiers() {
            let precisions = [(0, Activations::Int16, 1e-6), (0, Activations::F32, 1e-6), (1, Activations::Int8, 5e-4)];
            for (kind, activations, limit) in precisions {
                let found = made.values(&mut made.gpu(tier, activations), ids, TOKENS);
                for ((node, found), wanted) in made.graph.nodes.iter().zip(&found).zip(&wanted) {
                    let packed =
                        FORMATS.iter().any(|f| f.packed.is_some() && node.name == format!("product {}", f.name));
                    let (kind, limit) = if packed { (kind, limit) } else { (2, 1e-6) };
                    let error = nmse(found, wanted);
                    prop_assert!(error <= limit, "{} {tier} {activations:?}: {error:.2e}", node.name);
                    let worst = &mut worst.borrow_mut()[kind];
                    if error > worst.0 {
                        *worst = (error, format!("{} {tier}", node.name));
                    }
                }
            }
        }
        Ok(())
    });
    let [int16, int8, other] = worst.into_inner();
    println!("largest NMSE: int16 and f32 {int16:?}, int8 {int8:?}, other operations {other:?}");
    result.unwrap();
}

/// A row's values do not depend on how many rows are computed together: the kernels for few rows and for many agree.
#[test]
fn any_number_of_rows_gives_the_same_bits() {
    let ids: Vec<u32> = (0..TOKENS as u32).collect();
    let seed = Shape {
        wide: 3,
        rows: 131,
        tokens: TOKENS,
        size: 1.0,
        head_dim: 32,
        group: 2,
        window: Some(6),
        cap: None,
        bias: true,
        seed: 7,
    };
    let made = everything(&seed);
    for tier in tiers() {
        let mut gpu = made.gpu(tier, Activations::Int16);
        let whole = made.values(&mut gpu, &ids, TOKENS);
        for feed in [1, 2, 3, 4, 17] {
            let parts = made.values(&mut gpu, &ids, feed);
            for ((node, whole), parts) in made.graph.nodes.iter().zip(&whole).zip(&parts) {
                let same = whole.iter().zip(parts).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{} {tier}: {feed} rows at a time", node.name);
            }
        }
    }
}

/// A product of one block of columns is that block's sum times scales. With a few activations that are not zero it is
/// exact in f32, so that equal bits mean equal sums; they come in pairs that cancel, for minima would bring in a second
/// addition, which a GPU may round twice.
#[test]
fn block_sums_are_the_cpus() {
    let mut numbers = Numbers(3);
    for cols in [32, 256] {
        let rows = 70;
        let formats: Vec<_> = FORMATS.iter().filter(|f| f.packed.is_some() && cols % f.weights == 0).collect();
        let mut table = vec![0.0; cols * TOKENS];
        for row in table.chunks_exact_mut(cols) {
            let first = numbers.next() as usize % (cols / 16) * 16;
            for size in [1.0, 1.0 / 200.0] {
                let (x, at) = (size * numbers.float(), numbers.next() as usize % 16);
                row[first + at] += x;
                row[first + (at + 5) % 16] -= x;
            }
        }
        let mut builder = Builder::default();
        let mut file = Writer::default().tensor("x", &[cols as u64, TOKENS as u64], 0, bytes(&table));
        let table = builder.weight("x", cols, TOKENS, Role::Table);
        let x = builder.node("embed", Op::Embed(Embed { table, scale: 1.0 }), &[]);
        for format in &formats {
            let weights = blocks(format, rows, cols, &mut numbers);
            file = file.tensor(format.name, &[cols as u64, rows as u64], format.ggml_type, weights);
            let weight = builder.weight(format.name, cols, rows, Role::Matrix);
            builder.node(format.name, Op::Matmul(Matmul { weight, bias: None }), &[x]);
        }
        let made = Made::new(&file, builder);
        let ids: Vec<u32> = (0..TOKENS as u32).collect();
        for activations in [Activations::Int16, Activations::Int8] {
            let wanted = made.values(&mut made.cpu(activations), &ids, TOKENS);
            for tier in tiers() {
                let found = made.values(&mut made.gpu(tier, activations), &ids, TOKENS);
                for ((node, found), wanted) in made.graph.nodes.iter().zip(&found).zip(&wanted) {
                    assert!(found.len() == wanted.len() && !found.is_empty(), "{} was not read", node.name);
                    let differ = found.iter().zip(wanted).filter(|(a, b)| **a != **b).count();
                    assert_eq!(differ, 0, "{} {tier} {activations:?}, {cols} columns", node.name);
                }
            }
        }
    }
}

/// Whole products differ from the CPU's only by the order of additions.
#[test]
fn products_are_within_rounding_of_the_cpus() {
    let ids: Vec<u32> = (0..TOKENS as u32).collect();
    let shape = Shape {
        wide: 4,
        rows: 150,
        tokens: TOKENS,
        size: 1.0,
        head_dim: 16,
        group: 1,
        window: None,
        cap: None,
        bias: true,
        seed: 11,
    };
    let made = everything(&shape);
    for activations in [Activations::Int16, Activations::Int8] {
        let wanted = made.values(&mut made.cpu(activations), &ids, TOKENS);
        for tier in tiers() {
            let found = made.values(&mut made.gpu(tier, activations), &ids, TOKENS);
            let mut worst = 0.0f32;
            let nodes = made.graph.nodes.iter().zip(found.iter().zip(&wanted));
            for (node, (found, wanted)) in nodes.filter(|(node, _)| node.name.starts_with("product ")) {
                assert!(found.len() == wanted.len() && !found.is_empty(), "{} was not read", node.name);
                let size = wanted.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                let apart = found.iter().zip(wanted).fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / size;
                assert!(apart <= 1e-6, "{} {tier} {activations:?}: {apart:.2e}", node.name);
                worst = worst.max(apart);
            }
            println!("{tier} {activations:?}: {worst:.2e} of the largest output");
        }
    }
}
