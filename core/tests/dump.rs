//! A device's values in a file stand in for the device, whoever wrote them; a damaged file is an error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::models::{self, data};
use half::f16;
use kinglet::backend::bad::Bad;
use kinglet::backend::{Cancel, Program};
use kinglet::graph::Graph;
use kinglet::precision::{Activations, KvType};
use kinglet::trace::{Class, Dumped, Mode, Options, Report, Setup, Side, Verdict, Which, diverge, dump, let_go};
use kinglet::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

const MODEL: &str = "tiny/tiny-gemma3-q8_0.gguf";
const IDS: [u32; 9] = [1, 7, 50, 3, 111, 20, 5, 90, 14];

fn setup() -> Setup {
    Setup {
        threads: 1,
        chunk: 4,
        activations: Activations::Int16,
        kv: KvType::F16,
        adapter: None,
        tier: None,
        deny: Vec::new(),
        fused: false,
    }
}

fn prepare(which: Which) -> (Graph, Box<dyn Program>) {
    let (graph, weights) = models::open(&data(MODEL));
    let program = setup().prepare(which, graph.clone(), weights).unwrap();
    (graph, program)
}

/// The CPU's values, in chunks.
fn write(path: &Path) {
    let (graph, mut cpu) = prepare(Which::Cpu);
    let side = Side {
        kind: "cpu".into(),
        detail: "here".into(),
        tier: None,
        activations: Activations::Int16,
        kv: KvType::F16,
    };
    dump(path, &graph, cpu.as_mut(), &side, &IDS, (4, 3), &Cancel::default()).unwrap();
}

fn options(mode: Mode, a: &Side, tokens: usize) -> Options {
    Options {
        mode,
        all: false,
        tokens,
        repeats: 2,
        chunk: 4,
        fused: 0,
        activations: (a.activations, Activations::Int16),
        kv: (a.kv, KvType::F16),
        with_inputs: true,
        until: None,
    }
}

/// A dump against this CPU, which may be spoilt.
fn compare(path: &Path, mode: Mode, inject: Option<&str>) -> Result<Report> {
    let (graph, mut b) = prepare(Which::Cpu);
    let mut a = Dumped::open(path, &graph, &IDS)?;
    if let Some(inject) = inject {
        b = Box::new(Bad::new(b, graph.clone(), inject.parse().unwrap(), 4).unwrap());
    }
    let unknown =
        Side { kind: String::new(), detail: String::new(), tier: None, activations: Activations::F32, kv: KvType::F16 };
    let options = options(mode, &a.side().cloned().unwrap_or(unknown), a.tokens());
    diverge(&graph, &mut a, b.as_mut(), &IDS, &options, &mut |_, _| {}, &Cancel::default())
}

#[test]
fn a_dump_stands_in_for_its_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cpu.safetensors");
    write(&path);
    let (graph, _) = prepare(Which::Cpu);
    let valued = graph.nodes.iter().filter(|node| node.width > 0).count();
    for mode in [Mode::Isolated, Mode::Drift] {
        let report = compare(&path, mode, None).unwrap();
        assert_eq!((report.verdict, report.nodes.len()), (Verdict::Same, valued), "{mode:?}");
        assert_eq!((report.tokens.a.len(), report.tokens.part_at), (3, None), "{mode:?}");
        assert!(report.nodes.iter().all(|node| node.difference.max_abs == 0.0), "the same bits");
        assert!(report.a.kind == "dump" && report.a.detail.contains("cpu, here"), "{:?}", report.a);
        for node in ["blk.1.attn_heads", "output"] {
            let report = compare(&path, mode, Some(&format!("zeros@{node}"))).unwrap();
            let bad = report.first_bad.unwrap();
            assert_eq!((bad.node.as_str(), bad.class), (node, Some(Class::Zeros)), "{mode:?}");
        }
    }
}

/// What is asked of a device that is gone is answered with its rounding, attention to what it appended among it.
#[test]
fn a_device_that_is_gone_still_tells_one_kind_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let (graph, weights) = models::open(&data(MODEL));
    let setup = Setup { chunk: 16, ..setup() };
    let cpu = || setup.prepare(Which::Cpu, graph.clone(), weights.clone()).unwrap();
    for node in ["blk.1.attn_q", "blk.2.attn_heads", "blk.1.ffn_down"] {
        let side = Side {
            kind: "cpu".into(),
            detail: String::new(),
            tier: None,
            activations: Activations::Int16,
            kv: KvType::F16,
        };
        let go = Cancel::default();
        let mut gone = let_go(cpu(), folder.path(), &graph, &weights, &side, &IDS, (16, 0), &go).unwrap();
        let mut b = Bad::new(cpu(), graph.clone(), format!("subgroup32@{node}").parse().unwrap(), 16).unwrap();
        let options = Options { chunk: 16, ..options(Mode::Isolated, &side, 0) };
        let report = diverge(&graph, &mut gone, &mut b, &IDS, &options, &mut |_, _| {}, &go).unwrap();
        let bad = report.first_bad.unwrap();
        assert_eq!((bad.node.as_str(), bad.class), (node, Some(Class::Subgroup)));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

/// Another engine writes some nodes only, in a smaller type, and says nothing of how.
#[test]
fn what_a_dump_lacks_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (path, theirs) = (folder.path().join("cpu.safetensors"), folder.path().join("theirs.safetensors"));
    write(&path);
    let bytes = std::fs::read(&path).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let small = |name: &str| -> (String, Vec<usize>, Vec<u8>) {
        let tensor = all.tensor(name).unwrap();
        let (numbers, _) = tensor.data().as_chunks::<4>();
        let half = numbers.iter().flat_map(|x| f16::from_f32(f32::from_le_bytes(*x)).to_le_bytes()).collect();
        (name.into(), tensor.shape().to_vec(), half)
    };
    let some = ["blk.1.attn_norm", "blk.1.attn_q", "blk.1.attn_v", "blk.1.attn_heads"].map(small);
    let views = some
        .iter()
        .map(|(name, shape, bytes)| (name.clone(), TensorView::new(Dtype::F16, shape.clone(), bytes).unwrap()));
    std::fs::write(&theirs, safetensors::serialize(views, None).unwrap()).unwrap();
    let report = compare(&theirs, Mode::Isolated, None).unwrap();
    let compared: Vec<&str> = report.nodes.iter().map(|node| node.node.as_str()).collect();
    // Of attention the keys and what was appended are missing.
    assert_eq!(compared, ["blk.1.attn_q", "blk.1.attn_v"]);
    assert_eq!(report.verdict, Verdict::Same, "{:?}", report.first_bad);
    let report = compare(&theirs, Mode::Isolated, Some("zeros@blk.1.attn_v")).unwrap();
    assert_eq!(report.first_bad.unwrap().node, "blk.1.attn_v");
    let report = compare(&theirs, Mode::Drift, None).unwrap();
    assert_eq!((report.nodes.len(), report.verdict), (4, Verdict::Same));
}

#[test]
fn a_damaged_dump_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cpu.safetensors");
    write(&path);
    let (graph, _) = prepare(Which::Cpu);
    let opens = |bytes: &[u8], ids: &[u32]| {
        std::fs::write(&path, bytes).unwrap();
        Dumped::open(&path, &graph, ids).map(drop)
    };
    let whole = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    opens(&whole, &IDS).unwrap();
    let is_said = |result: Result<()>, part: &str| match result {
        Err(error @ Error::Dump { .. }) => assert!(error.to_string().contains(part), "{error}, not {part}"),
        other => panic!("{other:?}, not {part}"),
    };
    is_said(opens(&whole, &IDS[1..]), "another prompt");
    is_said(opens(&whole[..7], &IDS), "too short");
    is_said(opens(&whole[..whole.len() - 1], &IDS), "ends before");
    is_said(opens(b"GGUF\x03\0\0\0 and so on", &IDS), "header");
    for at in (0..header).step_by(7) {
        assert!(opens(&whole[..at], &IDS).is_err(), "cut at {at}");
        let mut bytes = whole.clone();
        bytes[at] ^= 0x11;
        // Whatever it means now, it is read or refused.
        let _ = opens(&bytes, &IDS);
    }
    let text = String::from_utf8(whole[8..header].to_vec()).unwrap();
    for (from, to, part) in [
        ("[9,64]", "[64,9]", "has shape"),
        ("\"F32\",\"shape\":[9,64]", "\"I32\",\"shape\":[9,64]", "is stored as"),
        ("[1,7,50", "[1,7,5x", "cannot be read"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        let changed = text.replacen(from, to, 1);
        is_said(opens(&[&whole[..8], changed.as_bytes(), &whole[header..]].concat(), &IDS), part);
    }
}
