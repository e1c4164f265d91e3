//! A reported node once more, on the reference and on this machine's devices: which side was wrong.

use super::compare::tolerance;
use super::given::Given;
use super::report::names;
use super::reported::{Reported, Suspect, wrong};
use super::{Class, Difference, Floats, Reproducer, Setup, Side, Which};
use crate::backend::gpu::Tier;
use crate::backend::{Cancel, Program};
use crate::graph::{Graph, Node};
use crate::precision::{Activations, KvType};
use crate::weights::Weights;
use crate::{Error, Result};
use serde::Serialize;
use std::cmp::Ordering;

/// Which of a report's sides was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Guilty {
    /// The first.
    A,
    /// The second.
    B,
    /// Neither is what the reference gives.
    Both,
    /// Both are, but for rounding.
    Neither,
    /// The report does not hold what would tell.
    Unknown,
}

/// What a replay found.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// Which side was wrong.
    pub guilty: Guilty,
    /// The node's name.
    pub node: String,
    /// What it computes.
    pub op: &'static str,
    /// What kind of wrong the report takes it for.
    pub class: Class,
    /// `report`, or `made` where the report has none: then only the report's own evidence tells who is guilty.
    pub inputs: &'static str,
    /// What the report itself says against side B, beside numbers: an error, unsteady runs, time.
    pub evidence: Option<String>,
    /// The first side against the reference.
    pub a: Judged,
    /// The second.
    pub b: Judged,
    /// This machine's devices: reference, cpu, gpu.
    pub sides: Vec<Rerun>,
}

/// One of the report's sides.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// As reported.
    #[serde(flatten)]
    pub side: Side,
    /// Its output against the reference's, which rounds what that side rounds; `None` without an output.
    pub difference: Option<Difference>,
    /// Whether it was wrong, by that or by evidence; `None` where nothing tells.
    pub wrong: Option<bool>,
}

/// The node on one of this machine's devices.
#[derive(Clone, Debug, Serialize)]
pub struct Rerun {
    /// Which.
    pub device: Which,
    /// Instruction set or adapter, threads, precision.
    pub detail: String,
    /// The worst run's output against the reference's, which rounds what this device rounds.
    pub difference: Option<Difference>,
    /// Whether it is wrong here.
    pub wrong: bool,
    /// Whether its runs differ.
    pub unsteady: bool,
    /// Whether it gives what side A gave, but for rounding.
    pub same_as_a: Option<bool>,
    /// Whether it gives what side B gave, but for rounding.
    pub same_as_b: Option<bool>,
    /// The kernels that compute it here, if this is a GPU.
    pub kernel: Option<String>,
    /// Milliseconds of the fastest run, its way there and back among them.
    pub ms: Option<f64>,
    /// Why there is no output.
    pub error: Option<String>,
}

/// Runs the node that a report found to be wrong on the reference, the CPU and the GPU, `repeats` times each, and compares
/// what they give with what both sides gave. The model must be the report's (see [`Reported::model_sha256`]) and takes
/// `context` positions.
///
/// `prepare` gets a device of this machine ready: see [`Setup::prepare`]. `setup` says with how many threads and on
/// which GPU; the rest of it follows from the report. A GPU that is missing or fails is in the answer.
///
/// # Errors
/// [`Error::Report`] and [`Error::TokenId`] where the report does not fit the model, those of the reference and the CPU,
/// and [`Error::Cancelled`].
pub fn replay(
    graph: &Graph,
    weights: &Weights,
    context: usize,
    reported: &Reported,
    setup: &Setup,
    repeats: usize,
    prepare: &mut dyn FnMut(Which, &Setup) -> Result<Box<dyn Program>>,
    cancel: &Cancel,
) -> Result<Replayed> {
    let id = graph.find(&reported.first_bad.node);
    let id = id.ok_or_else(|| {
        let what = format!("{}, which the model does not have", crate::error::shown(&reported.first_bad.node));
        wrong("first_bad.node", what)
    })?;
    let node = graph.node(id);
    let setup = as_reported(reported, setup);
    let given = if let Some(reproducer) = &reported.replay {
        Given::reported(graph, id, reproducer, context)?
    } else {
        let tokens = Given::made_tokens(reported.prompt_tokens);
        let mut cpu = prepare(Which::Cpu, &of(Which::Cpu, &setup, tokens))?;
        Given::made(graph, id, cpu.as_mut(), tokens, cancel)?
    };
    let mut reference = prepare(Which::Reference, &of(Which::Reference, &setup, given.tokens()))?;
    let case = Case { graph, node, given: &given, reported, repeats, cancel };
    let mut truth = Truth { case: &case, weights, known: Vec::new() };

    let differences = case.outputs().map(|output| match output {
        Some((side, output)) => {
            let expected = truth.of(reference.as_mut(), side.activations, side.kv)?;
            let limit = tolerance(&node.op, side.activations, side.activations);
            Ok(Some(Difference::of(expected, &case.over(expected, output), node.width, limit)))
        }
        None => Ok(None),
    });
    let [a, b] = differences;
    let (a, b) = (a?, b?);
    let is_wrong = |side: &Side, found: Option<Difference>| {
        found.map(|found| found.is_broken(tolerance(&node.op, side.activations, side.activations)))
    };
    let values_wrong = [is_wrong(&reported.a, a), is_wrong(&reported.b, b)];

    let mut sides = Vec::new();
    for which in [Which::Reference, Which::Cpu, Which::Gpu] {
        cancel.check()?;
        let setup = of(which, &setup, given.tokens());
        let activations = setup.activations_of(which);
        let expected = truth.of(reference.as_mut(), activations, setup.kv_of(which))?;
        let mut rerun = match which {
            Which::Reference => case.on(which, reference.as_mut(), activations, expected)?,
            Which::Cpu => case.on(which, prepare(which, &setup)?.as_mut(), activations, expected)?,
            Which::Gpu => match prepare(which, &setup) {
                Ok(mut program) => case.on(which, program.as_mut(), activations, expected)?,
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => Rerun::failed(which, String::new(), &error),
            },
        };
        if which == Which::Reference {
            // It was asked before, and rounded as they do then.
            [rerun.same_as_a, rerun.same_as_b] = values_wrong.map(|wrong| wrong.map(|wrong| !wrong));
        }
        sides.push(rerun);
    }
    let evidence = evidence(&reported.first_bad);
    let [wrong_a, wrong_b] = values_wrong;
    let wrong_b = if evidence.is_some() { Some(true) } else { wrong_b };
    Ok(Replayed {
        guilty: guilty(wrong_a, wrong_b),
        node: node.name.clone(),
        op: node.op.name(),
        class: reported.first_bad.class,
        inputs: if reported.replay.is_some() { "report" } else { "made" },
        evidence,
        a: Judged { side: reported.a.clone(), difference: a, wrong: wrong_a },
        b: Judged { side: reported.b.clone(), difference: b, wrong: wrong_b },
        sides,
    })
}

fn guilty(a: Option<bool>, b: Option<bool>) -> Guilty {
    match (a, b) {
        (Some(true), Some(true)) => Guilty::Both,
        (Some(true), _) => Guilty::A,
        (_, Some(true)) => Guilty::B,
        (Some(false), Some(false)) => Guilty::Neither,
        _ => Guilty::Unknown,
    }
}

/// What no number tells: how side B ran. Side A runs once, and its errors end a comparison.
fn evidence(bad: &Suspect) -> Option<String> {
    Some(match bad.class {
        Class::Lost | Class::Refused => {
            let said = bad.error.as_ref().map_or_else(String::new, |error| format!(": {}", crate::error::shown(error)));
            format!("side B gave an error instead of a value{said}")
        }
        Class::Nondeterministic => "side B gave other bits when it was given the same again".into(),
        Class::Slow => {
            let took = bad.ms.map_or_else(String::new, |ms| format!(" {ms:.0} ms,"));
            format!("side B took{took} far longer than for others like it")
        }
        _ => return None,
    })
}

/// The rest of the setup as the report's devices were prepared.
fn as_reported(reported: &Reported, setup: &Setup) -> Setup {
    let rounds = [&reported.b, &reported.a].into_iter().find(|side| side.kind != "reference");
    let (activations, kv) = rounds.map_or_else(Default::default, |side| (side.activations, side.kv));
    // Another tier has other kernels.
    let tier = setup.tier.or_else(|| [&reported.b, &reported.a].into_iter().find_map(|side| Tier::of(side.tier?)));
    Setup { activations, kv, tier, ..setup.clone() }
}

/// The same for one device and chunk.
fn of(which: Which, setup: &Setup, chunk: usize) -> Setup {
    // Only a GPU computes with f32.
    let nearest = if setup.activations == Activations::F32 { Activations::Int16 } else { setup.activations };
    let activations = if which == Which::Cpu { nearest } else { setup.activations };
    Setup { chunk, activations, ..setup.clone() }
}

/// What is run again, and what it was.
struct Case<'a> {
    graph: &'a Graph,
    node: &'a Node,
    given: &'a Given,
    reported: &'a Reported,
    repeats: usize,
    cancel: &'a Cancel,
}

impl Case<'_> {
    /// Both sides with what each gave, where the report has it.
    fn outputs(&self) -> [Option<(&Side, &Floats)>; 2] {
        let Some(replay) = &self.reported.replay else { return [None, None] };
        [Some((&self.reported.a, &replay.a)), replay.b.as_ref().map(|b| (&self.reported.b, b))]
    }

    /// A whole output with the part that the report has in its place: what was left out differs in nothing.
    fn over(&self, whole: &[f32], part: &Floats) -> Vec<f32> {
        let mut out = whole.to_vec();
        let Some(Reproducer { rows, columns, .. }) = &self.reported.replay else { return out };
        let width = self.node.width;
        let places = out.chunks_mut(width).skip(rows.start).filter_map(|row| row.get_mut(columns.clone()));
        for (place, part) in places.zip(part.0.chunks(columns.len())) {
            place.copy_from_slice(part);
        }
        out
    }

    /// Runs it on a device of this machine.
    fn on(&self, which: Which, program: &mut dyn Program, activations: Activations, expected: &[f32]) -> Result<Rerun> {
        let detail = program.device().detail;
        let (runs, ms) = match self.given.run(self.graph, program, self.repeats, self.cancel) {
            Ok(ran) => ran,
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => return Ok(Rerun::failed(which, detail, &error)),
        };
        let (op, width) = (&self.node.op, self.node.width);
        let limit = tolerance(op, activations, activations);
        let compared = runs.iter().map(|run| (Difference::of(expected, run, width, limit), run));
        let worst = compared.max_by(|(x, _), (y, _)| x.badness().partial_cmp(&y.badness()).unwrap_or(Ordering::Equal));
        let unsteady = runs.iter().any(|run| run.iter().zip(&runs[0]).any(|(x, y)| x.to_bits() != y.to_bits()));
        let same = |output: Option<(&Side, &Floats)>| {
            let ((side, output), (_, run)) = output.zip(worst.as_ref())?;
            let limit = tolerance(op, side.activations, activations);
            Some(!Difference::of(&self.over(run, output), run, width, limit).is_broken(limit))
        };
        let [same_as_a, same_as_b] = self.outputs().map(same);
        let difference = worst.map(|(difference, _)| difference);
        Ok(Rerun {
            device: which,
            detail,
            difference,
            wrong: unsteady || difference.is_some_and(|found| found.is_broken(limit)),
            unsteady,
            same_as_a,
            same_as_b,
            kernel: self
                .graph
                .find(&self.node.name)
                .and_then(|id| names(&program.kernels(id, self.given.tokens(), false))),
            ms: Some(ms),
            error: None,
        })
    }
}

impl Rerun {
    fn failed(device: Which, detail: String, error: &Error) -> Self {
        let (difference, error) = (None, Some(error.to_string()));
        let (same_as_a, same_as_b, kernel, ms) = (None, None, None, None);
        Self { device, detail, difference, wrong: false, unsteady: false, same_as_a, same_as_b, kernel, ms, error }
    }
}

/// What a device must give that rounds its inputs in some way: the reference's output for inputs that were so rounded, by
/// code that no device shares. What is left then is the rounding of sums.
struct Truth<'a> {
    case: &'a Case<'a>,
    weights: &'a Weights,
    known: Vec<(Activations, KvType, Vec<f32>)>,
}

impl Truth<'_> {
    fn of(&mut self, reference: &mut dyn Program, activations: Activations, kv: KvType) -> Result<&[f32]> {
        let Case { graph, given, cancel, .. } = *self.case;
        let known = self.known.iter().position(|known| (known.0, known.1) == (activations, kv));
        if known.is_none() {
            let rounded = given.rounded(graph, self.weights, activations, kv);
            let (mut runs, _) = rounded.run(graph, reference, 1, cancel)?;
            self.known.push((activations, kv, runs.pop().unwrap_or_default()));
        }
        let at = known.unwrap_or(self.known.len() - 1);
        Ok(&self.known[at].2)
    }
}
