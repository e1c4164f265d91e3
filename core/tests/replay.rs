//! A report's node run again: the side that was spoilt is the one that is named, and a damaged report is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::everything;
use common::models::{self, data};
use kinglet::backend::bad::{Bad, Inject, Kind};
use kinglet::backend::{Cancel, Program};
use kinglet::gguf::Gguf;
use kinglet::graph::Graph;
use kinglet::ops::Op;
use kinglet::precision::{Activations, KvType};
use kinglet::trace::{Class, Guilty, Mode, Options, Replayed, Report, Reported, Setup, Which, diverge, replay};
use kinglet::{Diagnose, Engine, Error, GpuOptions};
use serde_json::{Value, json};
use std::path::Path;

const MODELS: [&str; 2] = ["tiny/tiny-gemma3-q8_0.gguf", "tiny/tiny-llama-q4_0.gguf"];
const IDS: [u32; 10] = [1, 7, 50, 3, 111, 20, 5, 90, 14, 33];
/// Positions of the tiny models.
const CONTEXT: usize = 128;

fn setup(chunk: usize) -> Setup {
    Setup {
        threads: 1,
        chunk,
        activations: Activations::Int16,
        kv: KvType::F16,
        adapter: None,
        tier: None,
        deny: Vec::new(),
        fused: false,
    }
}

/// Compares two devices, of which the second or the first may be bad.
struct Comparison<'a> {
    path: &'a Path,
    sides: (Which, Which),
    setup: Setup,
    repeats: usize,
    mode: Mode,
    bad_a: Option<&'a Inject>,
    bad_b: Option<&'a Inject>,
}

impl Comparison<'_> {
    fn report(&self) -> kinglet::Result<Report> {
        let (mut a, mut b) = self.programs()?;
        self.compare(a.as_mut(), b.as_mut())
    }

    fn programs(&self) -> kinglet::Result<(Box<dyn Program>, Box<dyn Program>)> {
        let (graph, weights) = models::open(self.path);
        let prepare = |which, inject: Option<&Inject>| -> kinglet::Result<Box<dyn Program>> {
            let program = self.setup.prepare(which, graph.clone(), weights.clone())?;
            let Some(inject) = inject else { return Ok(program) };
            Ok(Box::new(Bad::new(program, graph.clone(), inject.clone(), self.setup.chunk)?))
        };
        Ok((prepare(self.sides.0, self.bad_a)?, prepare(self.sides.1, self.bad_b)?))
    }

    fn compare(&self, a: &mut dyn Program, b: &mut dyn Program) -> kinglet::Result<Report> {
        let (graph, _) = models::open(self.path);
        let options = Options {
            mode: self.mode,
            all: false,
            tokens: 0,
            repeats: self.repeats,
            chunk: self.setup.chunk,
            fused: 0,
            activations: (self.setup.activations_of(self.sides.0), self.setup.activations_of(self.sides.1)),
            kv: (self.setup.kv_of(self.sides.0), self.setup.kv_of(self.sides.1)),
            with_inputs: true,
            until: None,
        };
        diverge(&graph, a, b, &IDS, &options, &mut |_, _| {}, &Cancel::default())
    }
}

/// As somebody would send it.
fn sent(report: &Report, path: &Path) -> Value {
    let mut json = serde_json::to_value(report).unwrap();
    json["replay"] = serde_json::to_value(&report.replay).unwrap();
    json["model_sha256"] = Gguf::open(path).unwrap().sha256().into();
    json
}

/// What this machine says to it: without a GPU, or with a bad one.
fn judged(path: &Path, json: &Value, gpu: Option<&Inject>) -> kinglet::Result<Replayed> {
    let (graph, weights) = models::open(path);
    let mut prepare = |which: Which, setup: &Setup| -> kinglet::Result<Box<dyn Program>> {
        let Some(inject) = gpu.filter(|_| which == Which::Gpu) else {
            if which == Which::Gpu {
                return Err(Error::NoGpu("none is asked here".into()));
            }
            return setup.prepare(which, graph.clone(), weights.clone());
        };
        // Bad in the place of a GPU: a CPU with a bad driver.
        let program = setup.prepare(Which::Cpu, graph.clone(), weights.clone())?;
        Ok(Box::new(Bad::new(program, graph.clone(), inject.clone(), setup.chunk)?))
    };
    let reported = Reported::read(&json.to_string())?;
    replay(&graph, &weights, CONTEXT, &reported, &setup(1), 3, &mut prepare, &Cancel::default())
}

/// A node of each operation that has a value, those of the wanted rows among them.
fn nodes(graph: &Graph) -> Vec<String> {
    let mut nodes: Vec<(&str, &str)> = Vec::new();
    for node in graph.nodes.iter().skip(graph.nodes.len() / 3) {
        if node.width > 0 && nodes.iter().all(|(op, _)| *op != node.op.name()) {
            nodes.push((node.op.name(), &node.name));
        }
    }
    let last_attend = graph.nodes.iter().rev().find(|node| matches!(node.op, Op::Attend(_))).unwrap();
    let more = ["output", last_attend.name.as_str()];
    nodes.into_iter().map(|(_, name)| name).chain(more).map(str::to_owned).collect()
}

#[test]
fn the_spoilt_side_is_named() {
    let (mut all, mut right) = (0, 0);
    for model in MODELS {
        let path = data(model);
        let (graph, _) = models::open(&path);
        let slow =
            graph.nodes.iter().skip(graph.nodes.len() / 3).find(|node| matches!(node.op, Op::Matmul(_))).unwrap();
        let slow = &slow.name;
        for node in nodes(&graph) {
            for (name, kind) in Kind::ALL {
                for spoils_b in [false, true] {
                    for sides in
                        [(Which::Cpu, Which::Cpu), (Which::Reference, Which::Cpu), (Which::Cpu, Which::Reference)]
                    {
                        // A errs once and for all: it runs once, its errors end a comparison, nobody times it.
                        if !spoils_b && matches!(kind, Kind::Lost | Kind::Refused | Kind::Slow) {
                            continue;
                        }
                        // It sleeps, so once for each model is enough: at a product that others are like.
                        let once = node == *slow && sides == (Which::Cpu, Which::Cpu);
                        if kind == Kind::Slow && !(once || everything() && node != "output") {
                            continue;
                        }
                        // What rounds no more than the other side may is no error there.
                        let rounds = matches!(kind, Kind::F16Residual | Kind::F16Accumulate);
                        let op = &graph.node(graph.find(&node).unwrap()).op;
                        if rounds && sides.0 != sides.1 && matches!(op, Op::Matmul(_) | Op::Attend(_)) {
                            continue;
                        }
                        let probability = if kind == Kind::Flaky && spoils_b { 0.5 } else { 1.0 };
                        let inject = Inject { kind, node: node.clone(), probability, fused: false };
                        let (bad_a, bad_b) = if spoils_b { (None, Some(&inject)) } else { (Some(&inject), None) };
                        // The last chunk is one of two tokens.
                        let comparison = Comparison {
                            path: &path,
                            sides,
                            setup: setup(4),
                            repeats: if kind == Kind::Flaky { 12 } else { 3 },
                            mode: Mode::Isolated,
                            bad_a,
                            bad_b,
                        };
                        let what = format!("{model} {name}@{node} {sides:?} b: {spoils_b}");
                        let report = comparison.report().unwrap();
                        assert_eq!(report.first_bad.as_ref().expect(&what).node, node, "{what}");
                        let found = judged(&path, &sent(&report, &path), None).expect(&what);
                        let expected = if spoils_b { Guilty::B } else { Guilty::A };
                        all += 1;
                        right += usize::from(found.guilty == expected);
                        if found.guilty != expected {
                            println!("{what}: {:?} {:?}", found.guilty, (found.a, found.b));
                        }
                        for side in &found.sides[..2] {
                            assert!(!side.wrong && side.error.is_none(), "{what}: {side:?}");
                        }
                    }
                }
            }
        }
    }
    println!("{right} of {all} guilty sides named");
    assert_eq!(right, all);
}

/// Gemma's residual stream exceeds f16, so that a side that stores it so has infinities there.
#[test]
fn the_spoilt_side_of_real_models_is_named() {
    let nodes = ["blk.9.l_out", "blk.5.ffn_down", "blk.12.attn_heads"];
    let (nodes, kinds) = if everything() { (&nodes[..], &Kind::ALL[..8]) } else { (&nodes[..1], &Kind::ALL[..1]) };
    for path in [models::smollm2(), models::gemma3()] {
        for node in nodes {
            for (name, kind) in kinds {
                for spoils_b in [false, true] {
                    let probability = if *kind == Kind::Flaky && spoils_b { 0.5 } else { 1.0 };
                    let inject = Inject { kind: *kind, node: (*node).into(), probability, fused: false };
                    let (bad_a, bad_b) = if spoils_b { (None, Some(&inject)) } else { (Some(&inject), None) };
                    let comparison = Comparison {
                        path: &path,
                        sides: (Which::Cpu, Which::Cpu),
                        setup: Setup { threads: 2, ..setup(16) },
                        repeats: if *kind == Kind::Flaky { 12 } else { 3 },
                        mode: Mode::Isolated,
                        bad_a,
                        bad_b,
                    };
                    let what = format!("{} {name}@{node} b: {spoils_b}", path.display());
                    let report = comparison.report().unwrap();
                    assert_eq!(report.first_bad.as_ref().expect(&what).node, *node, "{what}");
                    let found = judged(&path, &sent(&report, &path), None).expect(&what);
                    assert_eq!(found.guilty, if spoils_b { Guilty::B } else { Guilty::A }, "{what}: {found:?}");
                }
            }
        }
    }
}

/// In 8 bits and with an f32 cache as well: what the two sides round follows from the report.
#[test]
fn sides_are_judged_by_what_they_round() {
    for (activations, kv) in [(Activations::Int8, KvType::F16), (Activations::Int16, KvType::F32)] {
        for model in MODELS {
            let path = data(model);
            let (graph, _) = models::open(&path);
            for node in nodes(&graph) {
                for spoils_b in [false, true] {
                    let inject = Inject { kind: Kind::Tile, node: node.clone(), probability: 1.0, fused: false };
                    let (bad_a, bad_b) = if spoils_b { (None, Some(&inject)) } else { (Some(&inject), None) };
                    let comparison = Comparison {
                        path: &path,
                        sides: (Which::Cpu, Which::Cpu),
                        setup: Setup { activations, kv, ..setup(16) },
                        repeats: 3,
                        mode: Mode::Isolated,
                        bad_a,
                        bad_b,
                    };
                    let found = judged(&path, &sent(&comparison.report().unwrap(), &path), None).unwrap();
                    let what = format!("{model} {node} {activations:?} {kv:?}: {found:?}");
                    assert_eq!(found.guilty, if spoils_b { Guilty::B } else { Guilty::A }, "{what}");
                    assert!(found.sides[1].detail.contains("int8") == (activations == Activations::Int8), "{what}");
                }
            }
        }
    }
}

/// A kernel that fails late: rope turns by the position, attention looks at what was cached before the chunk.
#[test]
fn positions_and_caches_come_back() {
    for model in MODELS {
        let path = data(model);
        let (graph, _) = models::open(&path);
        let late = |wanted: fn(&Op) -> bool| graph.nodes.iter().find(|node| wanted(&node.op)).unwrap().name.clone();
        for node in [late(|op| matches!(op, Op::Rope(_))), late(|op| matches!(op, Op::Attend(_)))] {
            for sides in [(Which::Cpu, Which::Cpu), (Which::Reference, Which::Cpu)] {
                let position = |report: &Report| report.replay.as_ref().map_or(0, |replay| replay.position);
                let inject = Inject { kind: Kind::Flaky, node: node.clone(), probability: 0.3, fused: false };
                let comparison = Comparison {
                    path: &path,
                    sides,
                    setup: setup(2),
                    repeats: 1,
                    mode: Mode::Isolated,
                    bad_a: None,
                    bad_b: Some(&inject),
                };
                let (mut a, mut b) = comparison.programs().unwrap();
                let mut reports = (0..60).map(|_| comparison.compare(a.as_mut(), b.as_mut()).unwrap());
                let report = reports.find(|report| position(report) >= 4).expect("it is wrong late now and then");
                let mut sent = sent(&report, &path);
                let found = judged(&path, &sent, None).unwrap();
                assert_eq!(found.guilty, Guilty::B, "{model} {node}: {found:?}");
                assert!(found.sides[1].same_as_a == Some(true), "{model} {node}: {found:?}");
                // Elsewhere both would be wrong.
                sent["replay"]["position"] = json!(position(&report) - 1);
                match judged(&path, &sent, None) {
                    Ok(found) => assert_eq!(found.guilty, Guilty::Both, "{model} {node}: {found:?}"),
                    Err(error) => assert!(error.to_string().contains("replay.cache"), "{error}"),
                }
            }
        }
    }
}

/// The reporter's driver, or the kernel: what this machine's GPU says tells them apart.
#[test]
fn this_machines_gpu_is_right_or_wrong_in_the_same_way() {
    let path = data(MODELS[1]);
    let inject: Inject = "from-index@blk.1.ffn_up".parse().unwrap();
    let comparison = Comparison {
        path: &path,
        sides: (Which::Cpu, Which::Cpu),
        setup: setup(16),
        repeats: 2,
        mode: Mode::Isolated,
        bad_a: None,
        bad_b: Some(&inject),
    };
    let sent = sent(&comparison.report().unwrap(), &path);
    let gpu = |inject: &str| {
        let found = judged(&path, &sent, Some(&inject.parse().unwrap())).unwrap();
        assert_eq!(found.guilty, Guilty::B);
        let gpu = found.sides.into_iter().find(|side| side.device == Which::Gpu).unwrap();
        (gpu.wrong, gpu.unsteady, gpu.same_as_a, gpu.same_as_b)
    };
    assert_eq!(gpu("zeros@blk.0.ffn_up"), (false, false, Some(true), Some(false)));
    assert_eq!(gpu("from-index@blk.1.ffn_up"), (true, false, Some(false), Some(true)));
    assert_eq!(gpu("zeros@blk.1.ffn_up"), (true, false, Some(false), Some(false)));
    assert!(gpu("stale@blk.1.ffn_up").1);
    let lost = judged(&path, &sent, Some(&"lost@blk.1.ffn_up".parse().unwrap())).unwrap();
    assert!(lost.guilty == Guilty::B && lost.sides[2].error.as_ref().unwrap().contains("lost"), "{lost:?}");
}

/// On a real adapter, both ways.
#[test]
fn a_gpu_replays_too() {
    let path = data(MODELS[0]);
    let (graph, weights) = models::open(&path);
    let every = nodes(&graph);
    let nodes = if everything() { &every[..] } else { &every[..3] };
    for node in nodes {
        let inject = Inject { kind: Kind::Tile, node: node.clone(), probability: 1.0, fused: false };
        let comparison = Comparison {
            path: &path,
            sides: (Which::Cpu, Which::Gpu),
            setup: setup(16),
            repeats: 2,
            mode: Mode::Isolated,
            bad_a: None,
            bad_b: Some(&inject),
        };
        let json = sent(&comparison.report().unwrap(), &path);
        let mut prepare = |which: Which, setup: &Setup| setup.prepare(which, graph.clone(), weights.clone());
        let reported = Reported::read(&json.to_string()).unwrap();
        let go = Cancel::default();
        let found = replay(&graph, &weights, CONTEXT, &reported, &setup(1), 3, &mut prepare, &go).unwrap();
        assert_eq!(found.guilty, Guilty::B, "{node}: {found:?}");
        let gpu = &found.sides[2];
        assert!(!gpu.wrong && gpu.same_as_a == Some(true) && gpu.same_as_b == Some(false), "{node}: {gpu:?}");
        assert!(gpu.kernel.is_some() && gpu.kernel == reported.first_bad.kernel, "{node}: {gpu:?}");
    }
}

/// Without inputs: this machine's devices are looked at, and only what the report says of the runs accuses.
#[test]
fn without_inputs_the_runs_alone_accuse() {
    let path = data(MODELS[1]);
    for (inject, mode, guilty) in [
        ("zeros@blk.1.ffn_down", Mode::Isolated, Guilty::Unknown),
        ("zeros@blk.1.attn_heads", Mode::Drift, Guilty::Unknown),
        ("zeros@blk.1.attn_heads", Mode::Isolated, Guilty::Unknown),
        ("zeros@output", Mode::Isolated, Guilty::Unknown),
        ("stale@blk.1.ffn_down", Mode::Isolated, Guilty::B),
        ("refused@blk.1.ffn_down", Mode::Isolated, Guilty::B),
        ("lost@blk.0.attn_q_rope", Mode::Isolated, Guilty::B),
    ] {
        let bad: Inject = inject.parse().unwrap();
        let comparison = Comparison {
            path: &path,
            sides: (Which::Cpu, Which::Cpu),
            setup: setup(16),
            repeats: 2,
            mode,
            bad_a: None,
            bad_b: Some(&bad),
        };
        let report = comparison.report().unwrap();
        assert_eq!(report.replay.is_some(), mode == Mode::Isolated, "{inject}");
        let mut sent = sent(&report, &path);
        sent["replay"] = Value::Null;
        let found = judged(&path, &sent, Some(&bad)).unwrap();
        assert_eq!((found.guilty, found.inputs), (guilty, "made"), "{inject}: {found:?}");
        assert!(!found.sides[1].wrong && found.sides[1].same_as_a.is_none(), "{inject}: {found:?}");
        assert!(found.sides[2].wrong || found.sides[2].error.is_some(), "{inject}: {found:?}");
    }
}

/// An app's report holds inputs where they were asked for, and names the GPU then.
#[test]
fn an_app_sends_inputs_only_when_asked() {
    let path = data(MODELS[1]);
    let gpu = GpuOptions { inject: Some("zeros@blk.0.attn_norm".parse().unwrap()), ..GpuOptions::default() };
    let options = kinglet::Options { prefill_chunk: 4, gpu, ..kinglet::Options::default() };
    let ask = |wanted: &Diagnose| {
        Engine::diagnose(&path, &options, "the ending", wanted, &mut |_, _| {}, &Cancel::default()).unwrap()
    };
    let silent = serde_json::to_value(ask(&Diagnose::default())).unwrap();
    assert!(silent.get("replay").is_none());
    assert_eq!(judged(&path, &silent, None).unwrap().inputs, "made");
    let telling = serde_json::to_value(ask(&Diagnose { with_inputs: true, ..Diagnose::default() })).unwrap();
    let found = judged(&path, &telling, None).unwrap();
    assert_eq!((found.guilty, found.inputs, found.class), (Guilty::B, "report", Class::Zeros), "{found:?}");
}

#[test]
fn damaged_reports_are_errors() {
    let path = data(MODELS[0]);
    let bad: Inject = "tile@blk.1.attn_heads".parse().unwrap();
    let comparison = Comparison {
        path: &path,
        sides: (Which::Cpu, Which::Cpu),
        setup: setup(16),
        repeats: 3,
        mode: Mode::Isolated,
        bad_a: None,
        bad_b: Some(&bad),
    };
    let whole = sent(&comparison.report().unwrap(), &path);
    assert_eq!(judged(&path, &whole, None).unwrap().guilty, Guilty::B);
    let text = whole.to_string();
    for end in (0..text.len()).step_by(text.len() / 300) {
        let error = Reported::read(&text[..end]).unwrap_err();
        assert!(matches!(error, Error::Report { .. }), "{end}: {error}");
    }
    let change = |pointer: &str, value: Value| {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        judged(&path, &changed, None)
    };
    let huge = json!(u64::MAX);
    let digits = |n: usize| json!("7fc00000".repeat(n));
    for (pointer, value) in [
        ("/model_sha256", json!(5)),
        ("/first_bad", Value::Null),
        ("/first_bad", json!([])),
        ("/first_bad/node", json!("blk.1.ffn_down")),
        ("/first_bad/class", json!("haunted")),
        ("/a", json!({})),
        ("/b/activations", json!("int4")),
        ("/b/kv", json!(16)),
        ("/prompt_tokens", json!(-1)),
        ("/replay", json!(1)),
        ("/replay/position", huge.clone()),
        ("/replay/position", json!(1e300)),
        ("/replay/position", json!(CONTEXT)),
        ("/replay/tokens", huge.clone()),
        ("/replay/tokens", json!(0)),
        ("/replay/tokens", json!(5)),
        ("/replay/wanted", huge.clone()),
        ("/replay/rows/start", huge.clone()),
        ("/replay/rows/end", huge.clone()),
        ("/replay/rows/end", json!(0)),
        ("/replay/columns/start", json!(1)),
        ("/replay/columns/end", huge.clone()),
        ("/replay/inputs", json!([])),
        ("/replay/inputs/0/name", json!("token_embd")),
        ("/replay/inputs/0/width", huge.clone()),
        ("/replay/inputs/0/values", digits(3)),
        ("/replay/inputs/0/values", json!("7fc0")),
        ("/replay/inputs/0/values", json!("nothexed")),
        ("/replay/inputs/0/values", json!([1.0, 2.0])),
        ("/replay/cache", Value::Null),
        ("/replay/cache/first", huge.clone()),
        ("/replay/cache/first", json!(1)),
        ("/replay/cache/keys", digits(1)),
        ("/replay/cache/values", json!("")),
        ("/replay/a", digits(7)),
        ("/replay/a", Value::Null),
        ("/replay/b", digits(7)),
    ] {
        match change(pointer, value.clone()) {
            Err(Error::Report { field, what }) => {
                let named = pointer.trim_start_matches('/').split('/').next().unwrap();
                assert!(field.contains(named) && !what.is_empty(), "{pointer} {value}: {field}: {what}");
            }
            other => panic!("{pointer} {value}: {other:?}"),
        }
    }
    let mut elsewhere = whole.clone();
    (elsewhere["first_bad"]["node"], elsewhere["replay"]["node"]) = (json!("blk.99.x"), json!("blk.99.x"));
    let error = judged(&path, &elsewhere, None).unwrap_err();
    assert!(matches!(error, Error::Report { .. }) && error.to_string().contains("blk.99.x"), "{error}");
    // Not-a-number is no JSON, but as bits it is a number like others: that side is wrong then.
    assert!(Reported::read(&text.replacen("\"position\":0", "\"position\":NaN", 1)).is_err());
    let numbers = whole["replay"]["a"].as_str().unwrap().len() / 8;
    assert_eq!(change("/replay/a", digits(numbers)).unwrap().guilty, Guilty::Both);
    assert_eq!(change("/replay/b", Value::Null).unwrap().guilty, Guilty::Unknown);
    let inputs = whole["replay"]["inputs"][0]["values"].as_str().unwrap().len() / 8;
    assert!(change("/replay/inputs/0/values", digits(inputs)).is_ok());
    let long = format!("{text}{}", " ".repeat(Reported::LONGEST));
    assert!(matches!(Reported::read(&long), Err(Error::Report { .. })));

    // Ids are looked up.
    let bad: Inject = "tile@token_embd".parse().unwrap();
    let comparison = Comparison { bad_b: Some(&bad), ..comparison };
    let mut embedded = sent(&comparison.report().unwrap(), &path);
    assert_eq!(judged(&path, &embedded, None).unwrap().guilty, Guilty::B);
    embedded["replay"]["ids"][3] = json!(4_000_000_000_u32);
    assert!(matches!(judged(&path, &embedded, None), Err(Error::TokenId { .. })));
    embedded["replay"]["ids"] = json!([1, 2]);
    assert!(matches!(judged(&path, &embedded, None), Err(Error::Report { .. })));
    embedded["replay"]["ids"] = Value::Null;
    assert!(matches!(judged(&path, &embedded, None), Err(Error::Report { .. })));
}
