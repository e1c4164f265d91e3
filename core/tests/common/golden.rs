//! Compares any program with the committed goldens: logits, greedy paths, activations, perplexity.
//!
//! The goldens come from an independent f64-careful implementation. Every check returns the largest difference it
//! met, so that a test can print it beside its tolerance.

use super::models::data;
use kinglet::backend::{Cancel, Program, Want};
use kinglet::graph::Graph;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// Rows of logits held at a time; a row of Gemma's is a megabyte.
const PIECE: usize = 64;

/// Reads a golden file under `tests/data`.
pub fn read<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(data(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Feeds `ids` from an empty state and shows each position's logits to `visit`.
pub fn each_row(program: &mut dyn Program, ids: &[u32], mut visit: impl FnMut(usize, &[f32])) {
    let mut state = program.state(ids.len()).unwrap();
    let mut logits = Vec::new();
    for (piece, ids) in ids.chunks(PIECE).enumerate() {
        program.run(&mut *state, ids, Want::All, &mut logits, &Cancel::default()).unwrap();
        let vocab = logits.len() / ids.len();
        assert_eq!(logits.len(), vocab * ids.len());
        for (i, row) in logits.chunks_exact(vocab).enumerate() {
            visit(piece * PIECE + i, row);
        }
    }
}

/// The id of the largest logit.
pub fn argmax(row: &[f32]) -> u32 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(id, _)| id as u32)
}

/// `ln(sum(exp(x)))`, in f64.
pub fn logsumexp(row: &[f32]) -> f64 {
    let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    max + row.iter().map(|x| (f64::from(*x) - max).exp()).sum::<f64>().ln()
}

/// The largest difference met so far, and where. Not-a-number counts as infinite.
#[derive(Debug, Default)]
pub struct Worst {
    /// The difference.
    pub difference: f64,
    /// Where it was met.
    pub place: String,
    /// How many numbers were compared.
    pub compared: usize,
}

impl Worst {
    /// Compares two numbers.
    pub fn compare(&mut self, found: impl Into<f64>, golden: impl Into<f64>, place: impl FnOnce() -> String) {
        self.compare_scaled(found, golden, 1.0, place);
    }

    /// Compares two numbers in units of `scale`.
    pub fn compare_scaled(
        &mut self,
        found: impl Into<f64>,
        golden: impl Into<f64>,
        scale: f64,
        place: impl FnOnce() -> String,
    ) {
        let (found, golden) = (found.into(), golden.into());
        let difference = (found - golden).abs() / scale;
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        self.compared += 1;
        if difference > self.difference {
            self.difference = difference;
            self.place = format!("{}: {found} where the golden says {golden}", place());
        }
    }

    /// Fails where the largest difference exceeds `tolerance`, or where nothing was compared.
    pub fn within(&self, what: &str, tolerance: f64) {
        println!("{what}: max difference {:.2e} of {tolerance:.0e} over {} numbers", self.difference, self.compared);
        assert!(self.compared > 0, "{what}: nothing was compared");
        assert!(self.difference <= tolerance, "{what}: {} > {tolerance} at {}", self.difference, self.place);
    }
}

/// Best ids and their logits.
type Top = Vec<(u32, f32)>;

// === Tiny models ===

/// One of `tiny/goldens.json` or `tiny_extra/goldens.json`.
#[derive(Deserialize)]
pub struct Tiny {
    /// File name.
    pub file: String,
    /// Architecture.
    pub arch: String,
    /// Fed from position 0.
    pub ids: Vec<u32>,
    logits_last: Vec<f32>,
    logits_pos11: Option<Vec<f32>>,
    argmax: Option<Vec<u32>>,
    argmax_margin: Option<Vec<f32>>,
    max_logit: Option<Vec<f32>>,
    lse: Vec<f32>,
    top5: Option<Vec<Top>>,
    residual_max: Option<Vec<f32>>,
    greedy: Option<TinyGreedy>,
}

#[derive(Deserialize)]
struct TinyGreedy {
    ids: Vec<u32>,
    margin: Vec<f32>,
}

/// Every tiny model of a folder (`tiny` or `tiny_extra`).
pub fn tiny(folder: &str) -> Vec<Tiny> {
    #[derive(Deserialize)]
    struct Goldens {
        models: Vec<Tiny>,
    }
    let mut models = read::<Goldens>(&format!("{folder}/goldens.json")).models;
    if folder == "tiny" {
        let mut top5: HashMap<String, Vec<Top>> = read("tiny/top5.json");
        for model in &mut models {
            model.top5 = top5.remove(&model.file);
        }
    }
    models
}

impl Tiny {
    /// Every logit that the golden has. An argmax must agree wherever its margin is above `2 * tolerance`.
    pub fn logits(&self, program: &mut dyn Program, tolerance: f64) -> Worst {
        let mut worst = Worst::default();
        each_row(program, &self.ids, |at, row| {
            let place = |what: &str| format!("{} position {at} {what}", self.file);
            worst.compare(logsumexp(row), self.lse[at], || place("lse"));
            let full = match at {
                11 => self.logits_pos11.as_ref(),
                _ if at + 1 == self.ids.len() => Some(&self.logits_last),
                _ => None,
            };
            if let Some(full) = full {
                assert_eq!(row.len(), full.len(), "{}", place("vocabulary"));
                for (id, (found, golden)) in row.iter().zip(full).enumerate() {
                    worst.compare(*found, *golden, || place(&format!("id {id}")));
                }
            }
            for (id, golden) in self.top5.iter().flat_map(|top5| &top5[at]) {
                worst.compare(row[*id as usize], *golden, || place(&format!("top id {id}")));
            }
            if let (Some(best), Some(margin), Some(max)) = (&self.argmax, &self.argmax_margin, &self.max_logit) {
                worst.compare(row[best[at] as usize], max[at], || place("max"));
                assert!(
                    argmax(row) == best[at] || f64::from(margin[at]) <= 2.0 * tolerance,
                    "{}: {} instead of {}",
                    place("argmax"),
                    argmax(row),
                    best[at]
                );
            }
        });
        worst
    }

    /// The largest value of each layer's residual, relative to the golden; `None` where the golden has none.
    ///
    /// The program must take all ids in one chunk and keep the residuals.
    pub fn residuals(&self, program: &mut dyn Program, graph: &Graph) -> Option<Worst> {
        let golden = self.residual_max.as_ref()?;
        let mut worst = Worst::default();
        // All rows, also of the last layer, which else computes only those whose logits are wanted.
        let mut state = program.state(self.ids.len()).unwrap();
        program.run(&mut *state, &self.ids, Want::All, &mut Vec::new(), &Cancel::default()).unwrap();
        for (layer, golden) in golden.iter().enumerate() {
            let name = format!("blk.{layer}.l_out");
            let value = program.read(graph.find(&name).unwrap()).unwrap();
            let max = value.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            worst.compare_scaled(max, *golden, f64::from(*golden), || format!("{} {name}", self.file));
        }
        Some(worst)
    }

    /// Continues greedily, up to the first golden step whose margin is at most `margin`. Returns the steps compared.
    pub fn greedy(&self, program: &mut dyn Program, margin: f32) -> usize {
        let Some(golden) = &self.greedy else { return 0 };
        let steps = golden.margin.iter().take_while(|m| **m > margin).count();
        let mut state = program.state(self.ids.len() + steps).unwrap();
        let mut logits = Vec::new();
        let mut next = self.ids.clone();
        for step in 0..steps {
            program.run(&mut *state, &next, Want::Last, &mut logits, &Cancel::default()).unwrap();
            let best = argmax(&logits);
            assert_eq!(best, golden.ids[step], "{} greedy step {step}, margin {}", self.file, golden.margin[step]);
            next = vec![best];
        }
        steps
    }
}

// === Real models ===

/// `logits.json`.
#[derive(Deserialize)]
pub struct Logits {
    fixed_ids: Vec<u32>,
    prompts: Vec<Prompt>,
}

#[derive(Deserialize)]
struct Prompt {
    name: String,
    ids: Vec<u32>,
    last: Row,
    inner: Vec<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    pos: usize,
    #[serde(flatten)]
    row: Row,
}

#[derive(Deserialize)]
struct Row {
    top: Top,
    lse: f32,
    fixed: Vec<f32>,
}

impl Logits {
    /// Only the prompts of at most so many tokens, for a slow device.
    pub fn short(mut self, tokens: usize) -> Self {
        self.prompts.retain(|prompt| prompt.ids.len() <= tokens);
        self
    }

    /// Every prompt, at its last and its inner positions. Only wanted rows pass the head.
    pub fn check(&self, program: &mut dyn Program) -> Worst {
        let mut worst = Worst::default();
        let mut logits = Vec::new();
        for prompt in &self.prompts {
            let last = (prompt.ids.len() - 1, &prompt.last);
            let mut rows: Vec<_> = prompt.inner.iter().map(|inner| (inner.pos, &inner.row)).chain([last]).collect();
            rows.sort_by_key(|(position, _)| *position);
            rows.dedup_by_key(|(position, _)| *position);
            let mut state = program.state(prompt.ids.len()).unwrap();
            for (position, golden) in rows {
                let ids = &prompt.ids[state.position()..=position];
                program.run(&mut *state, ids, Want::Last, &mut logits, &Cancel::default()).unwrap();
                let place = |what: &str| format!("prompt {} position {position} {what}", prompt.name);
                worst.compare(logsumexp(&logits), golden.lse, || place("lse"));
                let fixed = self.fixed_ids.iter().zip(&golden.fixed);
                for (id, golden) in fixed.chain(golden.top.iter().map(|(id, logit)| (id, logit))) {
                    worst.compare(logits[*id as usize], *golden, || place(&format!("id {id}")));
                }
            }
        }
        worst
    }
}

/// `greedy.json`.
#[derive(Deserialize)]
pub struct Greedy {
    pub runs: Vec<Run>,
}

#[derive(Deserialize)]
pub struct Run {
    prompt: String,
    pub prompt_ids: Vec<u32>,
    pub ids: Vec<u32>,
    top_logit: Vec<f32>,
    margin: Vec<f32>,
}

impl Greedy {
    /// Only the runs after at most so many tokens, for a slow device.
    pub fn short(mut self, tokens: usize) -> Self {
        self.runs.retain(|run| run.prompt_ids.len() <= tokens);
        self
    }

    /// Feeds each golden path and compares every choice up to the first whose margin is under `margin`; returns the
    /// steps compared and how far the chosen logits are off.
    pub fn check(&self, program: &mut dyn Program, margin: f32) -> (usize, Worst) {
        let mut steps = 0;
        let mut worst = Worst::default();
        for run in &self.runs {
            let compared = run.margin.iter().take_while(|m| **m >= margin).count();
            steps += compared;
            let path = [&run.prompt_ids[..], &run.ids].concat();
            let (prompt, path) = path[..run.prompt_ids.len() + compared.max(1) - 1].split_at(run.prompt_ids.len() - 1);
            let mut state = program.state(prompt.len() + path.len()).unwrap();
            let mut logits = Vec::new();
            program.run(&mut *state, prompt, Want::Nothing, &mut logits, &Cancel::default()).unwrap();
            program.run(&mut *state, path, Want::All, &mut logits, &Cancel::default()).unwrap();
            let rows = logits.chunks_exact(logits.len() / path.len());
            for (step, row) in rows.enumerate().take(compared) {
                let place = || format!("greedy step {step} after {:?}", run.prompt);
                assert_eq!(argmax(row), run.ids[step], "{}, margin {}", place(), run.margin[step]);
                worst.compare(row[run.ids[step] as usize], run.top_logit[step], place);
            }
        }
        (steps, worst)
    }
}

/// `activations.json`.
#[derive(Deserialize)]
pub struct Activations {
    ids: Vec<u32>,
    nodes: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    name: String,
    shape: Vec<usize>,
    max_abs: f32,
    l2: f32,
    l2_last: f32,
    last8: Vec<f32>,
}

impl Activations {
    /// Every node's values, each in units of its golden size. With `all`, every golden node must be readable.
    ///
    /// The program must take all ids in one chunk.
    pub fn check(&self, program: &mut dyn Program, graph: &Graph, all: bool) -> Worst {
        let mut worst = Worst::default();
        let mut state = program.state(self.ids.len()).unwrap();
        program.run(&mut *state, &self.ids, Want::All, &mut Vec::new(), &Cancel::default()).unwrap();
        let l2 = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        for golden in &self.nodes {
            let node = graph.find(&golden.name).unwrap_or_else(|| panic!("the graph has no node {}", golden.name));
            let Some(value) = program.read(node) else {
                assert!(!all, "{} cannot be read", golden.name);
                continue;
            };
            assert_eq!(value.len(), golden.shape.iter().product::<usize>(), "{}", golden.name);
            let last = &value[value.len() - value.len() / self.ids.len()..];
            let max_abs = value.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            let (size, size_last) = (f64::from(golden.max_abs), f64::from(golden.l2_last));
            worst.compare_scaled(max_abs, golden.max_abs, size, || format!("{} max_abs", golden.name));
            worst.compare_scaled(l2(&value), golden.l2, f64::from(golden.l2), || format!("{} l2", golden.name));
            worst.compare_scaled(l2(last), golden.l2_last, size_last, || format!("{} l2_last", golden.name));
            let rms = size_last / (last.len() as f64).sqrt();
            for (i, (found, golden_value)) in last.iter().zip(&golden.last8).enumerate() {
                let scale = rms.max(f64::from(golden_value.abs()));
                worst.compare_scaled(*found, *golden_value, scale, || format!("{} last row, {i}", golden.name));
            }
        }
        worst
    }
}

/// `perplexity.json`.
#[derive(Deserialize)]
pub struct Perplexity {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    name: String,
    mean_nll: f64,
    windows: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    ids: Vec<u32>,
    nll: Vec<f32>,
}

impl Perplexity {
    /// Only the first window of each text: each begins anew.
    pub fn short(mut self) -> Self {
        self.texts.iter_mut().for_each(|text| text.windows.truncate(1));
        self
    }

    /// Mean negative log-likelihood of each text, relative to the golden mean.
    pub fn check(&self, program: &mut dyn Program) -> Worst {
        let mut worst = Worst::default();
        for text in &self.texts {
            let (mut sum, mut golden_sum, mut scored) = (0.0, 0.0, 0);
            for window in &text.windows {
                each_row(program, &window.ids, |at, row| {
                    let Some(next) = window.ids.get(at + 1) else { return };
                    sum += logsumexp(row) - f64::from(row[*next as usize]);
                });
                golden_sum += window.nll.iter().map(|nll| f64::from(*nll)).sum::<f64>();
                scored += window.nll.len();
            }
            let golden = golden_sum / f64::from(scored as u32);
            let whole = text.windows.len() > 1;
            assert!(!whole || (golden - text.mean_nll).abs() < 1e-3, "{}: the golden contradicts itself", text.name);
            worst.compare_scaled(sum / f64::from(scored as u32), golden, golden, || text.name.clone());
        }
        worst
    }
}
