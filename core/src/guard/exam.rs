//! What a GPU is asked before anything that it says is believed: every kernel of a model alone, then some tokens.
//!
//! A trusted device answers first ([`Exam::set`]) and can be dropped then, for a phone has no room for two sets of
//! weights. The GPU answers each question several times ([`Exam::sit`]): some drivers are wrong only now and then.

use super::judge::rounding;
use super::{apart, tolerance};
use crate::backend::gpu::{BEST, ONE_ROW};
use crate::backend::{Alone, Best, Cancel, Lines, Program, State, Want, run_alone};
use crate::generate::argmax;
use crate::graph::{Graph, NodeId, Rows, Slot};
use crate::ops::Op;
use crate::precision::Activations;
use crate::trace::{self, Difference, Kept};
use crate::weights::Weights;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::time::Instant;

/// Tokens of the prompt: a whole tile of rows, and a part of one.
pub(crate) const PROMPT: usize = 21;
/// Tokens that follow it.
const ANSWER: usize = 16;
/// Rows of a small chunk, which other kernels serve.
const FEW: usize = 3;
/// Times that a question is asked. Who is wrong one time in `n` passes `k` questions with a probability of
/// `(1 - 1/n)^(k * REPEATS)`.
const REPEATS: usize = 3;
/// Positions in the cache for some of the questions: more than a sliding window that is no larger than `WINDOW`.
const PAST: usize = 531;
const WINDOW: usize = 1024;
/// What is smaller is nothing: WGSL lets a device take numbers below 1.2e-38 for zero, and products of such. Beside the
/// greatest number of an output, what is smaller than this part of it is nothing, too.
const NOTHING: f32 = 1e-30;
const NOTHING_BESIDE: f32 = 1e-12;

/// Questions, and the answers of the trusted device.
pub(crate) struct Exam {
    activations: Activations,
    slots: Vec<Slot>,
    past: usize,
    questions: Vec<Question>,
    prompt: Vec<u32>,
    /// Greedy: each id, and the logits that it was chosen from.
    answer: Vec<(u32, Vec<f32>)>,
}

/// One node, to be run alone.
struct Question {
    node: NodeId,
    name: String,
    width: usize,
    limit: f64,
    sort: Inputs,
    tokens: usize,
    wanted: usize,
    inputs: Vec<Vec<f32>>,
    /// Empty for what is appended: that shows when it is attended to.
    expected: Vec<f32>,
    /// What was appended to the slot that it reads.
    append: Option<NodeId>,
}

/// What the inputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inputs {
    /// What the model has there in a text.
    Real,
    Random,
    /// Beyond what f16 holds, except in the cache.
    Large,
    Zeros,
    /// Numbers below 1.2e-38.
    Denormals,
}

impl Inputs {
    fn describe(self) -> &'static str {
        match self {
            Self::Real => "the model's own values",
            Self::Random => "random values",
            Self::Large => "large values",
            Self::Zeros => "zeros",
            Self::Denormals => "denormal values",
        }
    }

    /// Made-up inputs, each with the rows that it comes with: many, few and one.
    const MADE: [(Self, usize); 4] =
        [(Self::Random, PROMPT - 4), (Self::Large, FEW), (Self::Zeros, FEW - 1), (Self::Denormals, 1)];

    fn fill(self, op: &Op, seed: u64, out: &mut [f32]) {
        let size = match self {
            Self::Real | Self::Random => 1.0,
            Self::Large if matches!(op, Op::Append(_) | Op::Attend(_)) => 1e3,
            Self::Large => 1e5,
            Self::Zeros => 0.0,
            Self::Denormals => 1e-39,
        };
        for (x, random) in out.iter_mut().zip(randoms(seed)) {
            *x = size * random;
        }
    }
}

/// From -1 to 1, the same for the same seed (Steele, Lea and Flood's `SplitMix64`).
fn randoms(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

/// A question that was answered wrongly.
pub(crate) struct Fault {
    /// The node, or what else was asked.
    pub(crate) node: String,
    /// What may be to blame, the likeliest first: kernels, or beginnings of kernels' names.
    pub(crate) suspects: Vec<String>,
    pub(crate) why: String,
}

impl Exam {
    /// Asks the trusted device, which keeps all values, runs nodes alone and takes `chunk` tokens at once. Of `ids` the
    /// first tokens are the prompt.
    pub(crate) fn set(
        graph: &Graph,
        weights: &Weights,
        activations: Activations,
        chunk: usize,
        program: &mut dyn Program,
        ids: &[u32],
        cancel: &Cancel,
    ) -> Result<Self> {
        let prompt = ids[..ids.len().min(PROMPT).min(chunk)].to_vec();
        let window = graph.slots.iter().filter_map(|slot| slot.window).filter(|window| *window <= WINDOW).max();
        let past = window.map_or(PAST, |window| PAST.max(window + FEW));
        let slots = graph.slots.clone();
        let mut exam = Self { activations, slots, past, questions: Vec::new(), prompt, answer: Vec::new() };

        let mut state = program.state(exam.context())?;
        let mut logits = Vec::new();
        program.run(state.as_mut(), &exam.prompt, Want::Last, &mut logits, cancel)?;
        let picks = picks(graph, weights);
        let kept = Kept { program, logits: &logits };
        let mut real = BTreeMap::new();
        for input in picks.iter().flat_map(|pick| &graph.node(*pick).inputs).filter(|id| graph.node(**id).width > 0) {
            real.insert(input.0, kept.value(graph, *input)?);
        }
        while exam.answer.len() < ANSWER {
            let id = argmax(&logits).unwrap_or_default();
            exam.answer.push((id, logits.clone()));
            program.run(state.as_mut(), &[id], Want::Last, &mut logits, cancel)?;
        }
        drop(state);

        let mut states = exam.states(program)?;
        let all = exam.prompt.len();
        // A large head is more work than all the rest: it gets fewer questions, of each kernel one at least.
        let spares = |pick: &NodeId| *pick == graph.logits();
        for tokens in [all, all.min(FEW)] {
            for pick in picks.iter().filter(|pick| tokens <= FEW || !spares(pick)) {
                cancel.check()?;
                let rows = |input: &NodeId| {
                    let value = real.get(&input.0).map_or(&[][..], Vec::as_slice);
                    let rows = if graph.node(*input).rows == Rows::All { tokens } else { 1 };
                    value[..value.len().min(rows * graph.node(*input).width)].to_vec()
                };
                let inputs = graph.node(*pick).inputs.iter().map(rows).collect();
                exam.ask(graph, program, &mut states, *pick, Inputs::Real, (tokens, 1), inputs)?;
            }
        }
        for (sort, tokens) in Inputs::MADE {
            let (tokens, wanted) = (tokens.min(all), tokens.min(all).min(2));
            for pick in picks.iter().filter(|pick| sort != Inputs::Zeros || !spares(pick)) {
                cancel.check()?;
                let node = graph.node(*pick);
                let make = |(i, input): (usize, &NodeId)| {
                    let input = graph.node(*input);
                    let rows = if input.rows == Rows::All { tokens } else { wanted };
                    let mut value = vec![0.0; rows * input.width];
                    sort.fill(&node.op, (pick.0 * 8 + i) as u64, &mut value);
                    value
                };
                let inputs = node.inputs.iter().enumerate().map(make).collect();
                exam.ask(graph, program, &mut states, *pick, sort, (tokens, wanted), inputs)?;
            }
        }
        Ok(exam)
    }

    /// Adds a question.
    fn ask(
        &mut self,
        graph: &Graph,
        program: &mut dyn Program,
        states: &mut States,
        id: NodeId,
        sort: Inputs,
        (tokens, wanted): (usize, usize),
        inputs: Vec<Vec<f32>>,
    ) -> Result<()> {
        let node = graph.node(id);
        let mut question = Question {
            node: id,
            name: node.name.clone(),
            width: node.width,
            limit: trace::tolerance(&node.op, self.activations, self.activations),
            sort,
            tokens,
            wanted,
            inputs,
            expected: Vec::new(),
            append: node.inputs.iter().copied().find(|id| matches!(graph.node(*id).op, Op::Append(_))),
        };
        question.expected = question.put(program, states.of(sort), &self.prompt)?;
        self.questions.push(question);
        Ok(())
    }

    /// Positions that every state has room for.
    fn context(&self) -> usize {
        self.past + self.prompt.len() + ANSWER
    }

    /// One with nothing in it, and one with much.
    fn states(&self, program: &dyn Program) -> Result<States> {
        let (empty, mut long) = (program.state(self.context())?, program.state(self.context())?);
        let mut lines = self.slots.iter().enumerate().map(|(i, slot)| {
            let (len, mut randoms) = (self.past * slot.width(), randoms(i as u64));
            let keys = randoms.by_ref().take(len).collect();
            Ok(Lines { first: 0, keys, values: randoms.take(len).collect() })
        });
        if !long.restore(&vec![0; self.past], &mut lines)? {
            return Err(Error::Option { name: "device".into(), what: "takes no keys and values from another".into() });
        }
        Ok(States { empty, long })
    }

    /// Asks a GPU, and says what it got wrong. `watch` is told the kernels that run next, and how much of all is done;
    /// `runs` counts nodes and tokens.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and where it could not even be asked.
    pub(crate) fn sit(
        &self,
        program: &mut dyn Program,
        watch: &mut dyn FnMut(&[String], usize, usize),
        runs: &mut usize,
        cancel: &Cancel,
    ) -> Result<Vec<Fault>> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut states = self.states(program)?;
        let all = self.questions.len() + self.answer.len();
        for (i, question) in self.questions.iter().enumerate() {
            cancel.check()?;
            if faults.iter().any(|fault| fault.node == question.name) {
                continue;
            }
            let suspects = question.suspects(program);
            watch(&suspects, i, all);
            let started = Instant::now();
            let wrong = question.is_wrong(program, states.of(question.sort), &self.prompt, runs);
            let Question { name, sort, tokens, .. } = question;
            log::debug!("gpu: {name}, {tokens} tokens, {sort:?}: {:?}", started.elapsed());
            let lost = matches!(wrong, Err(Error::GpuLost(_)));
            let why = wrong.unwrap_or_else(|error| Some(error.cause()));
            faults.extend(why.map(|why| Fault { node: question.name.clone(), suspects, why }));
            if lost {
                return Ok(faults);
            }
        }
        if faults.is_empty() {
            watch(&[], self.questions.len(), all);
            faults.extend(self.tokens(program, runs, cancel)?);
        }
        Ok(faults)
    }

    /// The trusted device's tokens with everything that runs together otherwise.
    fn tokens(&self, program: &mut dyn Program, runs: &mut usize, cancel: &Cancel) -> Result<Option<Fault>> {
        let fault = |suspects: &[&str], why: String| {
            let suspects = suspects.iter().map(|name| (*name).to_owned()).collect();
            Ok(Some(Fault { node: WHOLE.into(), suspects, why }))
        };
        let mut state = program.state(self.context())?;
        let mut logits = Vec::new();
        let mut next = self.prompt.clone();
        for (i, (id, right)) in self.answer.iter().enumerate() {
            // All logits and only the best are made by different kernels.
            let (want, suspects): (_, &[_]) = match i {
                0 => (Want::Last, &[]),
                _ if i % 2 == 0 => (Want::Best(Best::of(1)), &[BEST]),
                _ => (Want::Last, &[ONE_ROW]),
            };
            *runs += 1;
            if let Err(error) = program.run(state.as_mut(), &next, want, &mut logits, cancel) {
                cancel.check()?;
                return fault(suspects, error.cause());
            }
            let best = argmax(&logits).unwrap_or_default();
            let behind = right[*id as usize] - right.get(best as usize).copied().unwrap_or(f32::NEG_INFINITY);
            if behind.is_nan() || behind > rounding(self.activations) {
                return fault(suspects, format!("as token {i} it chose {best}, which is behind {id} by {behind:.1}"));
            }
            let off = apart(&logits, right);
            if off.is_nan() || off > tolerance(self.activations) {
                return fault(suspects, format!("its logits of token {i} are off by {off:.1e} of their size"));
            }
            next = vec![*id];
        }
        Ok(None)
    }
}

/// A fault that is no single node's.
pub(super) const WHOLE: &str = "the whole model";
/// Caches to ask about.
struct States {
    empty: Box<dyn State>,
    long: Box<dyn State>,
}

impl States {
    fn of(&mut self, sort: Inputs) -> &mut dyn State {
        if matches!(sort, Inputs::Random | Inputs::Large) { self.long.as_mut() } else { self.empty.as_mut() }
    }
}

impl Question {
    fn put(&self, program: &mut dyn Program, state: &mut dyn State, ids: &[u32]) -> Result<Vec<f32>> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let alone =
            Alone { ids: &ids[..self.tokens], wanted: self.wanted, node: self.node, inputs: &inputs, fused: false };
        run_alone(program, state, &alone)
    }

    /// Kernels that have to do with it: the node's own, what quantises its input, what filled the cache.
    fn suspects(&self, program: &dyn Program) -> Vec<String> {
        let own = program.kernels(self.node, self.tokens, false).into_iter().rev();
        let append = self.append.into_iter().flat_map(|append| program.kernels(append, self.tokens, false));
        let mut names: Vec<String> = own.chain(append).map(|kernel| kernel.kernel).collect();
        names.dedup();
        names
    }

    /// What is wrong with a device's answers.
    fn is_wrong(
        &self,
        program: &mut dyn Program,
        state: &mut dyn State,
        ids: &[u32],
        runs: &mut usize,
    ) -> Result<Option<String>> {
        let with = self.sort.describe();
        *runs += 1;
        let mut found = self.put(program, state, ids)?;
        for _ in 1..REPEATS {
            *runs += 1;
            let again = self.put(program, state, ids)?;
            if found.iter().zip(&again).any(|(x, y)| x.to_bits() != y.to_bits()) {
                return Ok(Some(format!("with {with} it does not compute the same twice")));
            }
        }
        let mut expected = self.expected.clone();
        let greatest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let nothing = NOTHING.max(NOTHING_BESIDE * greatest);
        for x in expected.iter_mut().chain(&mut found).filter(|x| x.abs() < nothing) {
            *x = 0.0;
        }
        let off = Difference::of(&expected, &found, self.width, self.limit);
        Ok(off.is_broken(self.limit).then(|| {
            let not_finite = off.nan + off.inf;
            let what = if not_finite > 0 {
                format!("{not_finite} numbers that are none")
            } else {
                format!("numbers that are off by {:.1e} of their size", off.worst.max(off.rel))
            };
            format!("with {with} it computes {what}")
        }))
    }
}

/// A node for each kind of work that a kernel of its own may do: of those alike the middle one, where activations of deep
/// models are large. What is appended comes before its attention, and each is asked for where the other is.
fn picks(graph: &Graph, weights: &Weights) -> Vec<NodeId> {
    let mut alike: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let detail = match &node.op {
            // Written by the host, or picked with its attention.
            Op::Embed(_) | Op::Append(_) => continue,
            Op::Matmul(op) => {
                let (format, has_bias) = (weights.format(op.weight).name, op.bias.is_some());
                format!("{format} of {} columns, bias {has_bias}", graph.weight(op.weight).cols)
            }
            Op::RmsNorm(op) => format!("groups of {}", op.dim),
            Op::Rope(op) => format!("{op:?}"),
            Op::Attend(op) => format!("{:?}, {} heads", graph.slots[op.slot.0], op.heads),
            Op::Gated(op) => format!("{:?}", op.activation),
            Op::Add | Op::Softcap(_) | Op::PickRows => String::new(),
        };
        let key = format!("{} of {}, {:?} rows: {detail}", node.op.name(), node.width, node.rows);
        alike.entry(key).or_default().push(NodeId(i));
    }
    let middle = |ids: &Vec<NodeId>| ids[ids.len() / 2];
    let mut picks: Vec<NodeId> = alike.values().map(middle).collect();
    let appended = picks.iter().flat_map(|id| &graph.node(*id).inputs);
    let appended: Vec<NodeId> = appended.copied().filter(|id| matches!(graph.node(*id).op, Op::Append(_))).collect();
    picks.extend(appended);
    picks.sort_unstable_by_key(|id| id.0);
    picks
}
