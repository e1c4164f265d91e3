//! Which device `auto` takes: the CPU, unless a hardware GPU says the same and is faster.

use super::open::{Chosen, on_cpu, prepare_on};
use super::qualify::{Asked, Candidate};
use super::{DeviceChoice, Options, Qualify};
use crate::backend::gpu::{self, Adapter};
use crate::backend::relay::Relay;
use crate::backend::{Cancel, Program, Progress, Want};
use crate::generate::argmax;
use crate::guard::{self, Fitness, Subject, Timing, Verdict};
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// Tokens of the task that both devices are timed with: about a notification, and its summary.
const PROMPT: usize = 64;
const ANSWER: usize = 16;
/// A GPU must save this part of the time, for it takes the screen's power and its start takes longer.
const GAIN: f64 = 0.1;

pub(super) fn choose(candidate: &Candidate<'_>, progress: &mut Progress<'_>, cancel: &Cancel) -> Result<Chosen> {
    let &Candidate { graph, weights, options, .. } = candidate;
    match take_gpu(candidate, progress, cancel) {
        Ok((program, why)) => {
            log::info!("auto: the gpu, since {why}");
            let (second, witness) = (on_cpu(graph, weights, options), on_cpu(graph, weights, options));
            let program = Box::new(Relay::new(program, second));
            Ok(Chosen { program, why, witness: Some(witness), qualified: is_to_qualify(options) })
        }
        Err(why) => {
            // Whoever cancelled wants no CPU either.
            cancel.check()?;
            log::info!("auto: the cpu, since {why}");
            let program = prepare_on(DeviceChoice::Cpu, graph.clone(), weights.clone(), options, progress)?;
            Ok(Chosen { why, ..Chosen::asked(program) })
        }
    }
}

/// Whether the GPU has to show that it is right. One that is to be lost would be lost while it does.
fn is_to_qualify(options: &Options) -> bool {
    options.gpu.qualify != Qualify::Never && options.gpu.lose_after.is_none()
}

/// The GPU and why it is worth it, or why not.
fn take_gpu(
    candidate: &Candidate<'_>,
    progress: &mut Progress<'_>,
    cancel: &Cancel,
) -> std::result::Result<(Box<dyn Program>, String), String> {
    let text = |error: Error| error.cause();
    let options = candidate.options;
    // The one that was asked for is taken as slow as it is.
    let named = options.gpu.adapter.as_ref();
    let adapters = gpu::adapters();
    if let Some(why) = no_candidate(&adapters).filter(|_| named.is_none()) {
        return Err(why);
    }
    let subject = candidate.subject(&adapters).map_err(text)?;
    let is_all = |kept: &Verdict| named.is_some() || kept.timing.is_some() || kept.fitness == Fitness::Cpu;
    let (verdict, program) = match candidate.kept(&subject).filter(|_| is_to_qualify(options)) {
        Some(kept) if is_all(&kept) => (kept, None),
        kept => measure(candidate, subject, kept, progress, cancel).map_err(text)?,
    };
    if let Some(step) = verdict.ladder.last().filter(|_| verdict.fitness == Fitness::Cpu) {
        return Err(step.why.clone());
    }
    let why = match (named, verdict.timing) {
        (None, Some(timing)) => gain(timing)?,
        (name, _) => format!("the adapter {:?} was asked for", name.map_or("", String::as_str)),
    };
    let program = match program {
        Some(program) => program,
        None => candidate.on_gpu(&verdict.deny(), progress).map_err(text)?,
    };
    Ok((program, why))
}

/// Finds out what is not `kept` about a GPU: whether it is right, and unless it was asked for by its name how long both
/// devices take for the same. One device after the other: a phone has no room for two sets of weights.
fn measure(
    candidate: &Candidate<'_>,
    subject: Subject,
    kept: Option<Verdict>,
    progress: &mut Progress<'_>,
    cancel: &Cancel,
) -> Result<(Verdict, Option<Box<dyn Program>>)> {
    let &Candidate { graph, weights, options, .. } = candidate;
    let vocab = graph.vocab();
    let mut on_cpu = None;
    if options.gpu.adapter.is_none() {
        let mut cpu = prepare_on(DeviceChoice::Cpu, graph.clone(), weights.clone(), options, progress)?;
        on_cpu = Some(Trial::of(cpu.as_mut(), vocab, options, cancel)?);
    }
    let qualifies = is_to_qualify(options);
    let unknown = |subject| Verdict { subject, fitness: Fitness::Good, ladder: Vec::new(), timing: None };
    let (mut verdict, mut program) = match kept {
        None if qualifies => {
            let Asked { verdict, program, .. } = candidate.ask(subject, &mut |_, _| {}, cancel)?;
            (verdict, program)
        }
        kept => {
            let verdict = kept.unwrap_or_else(|| unknown(subject));
            let program = candidate.on_gpu(&verdict.deny(), progress)?;
            (verdict, Some(program))
        }
    };
    if let (Some(gpu), Some(on_cpu)) = (&mut program, on_cpu) {
        let on_gpu = Trial::of(gpu.as_mut(), vocab, options, cancel)?;
        if let Err(error) = on_gpu.check(&on_cpu, guard::tolerance(options.activations)) {
            verdict.give_up(error.cause());
            program = None;
        }
        // Of so few digits that a file gives back the same number.
        let [gpu, cpu] = [on_gpu, on_cpu].map(|trial| trial.time.as_micros() as f64 / 1e3);
        verdict.timing = Some(Timing { gpu, cpu });
    }
    if qualifies {
        candidate.keep(&verdict);
    }
    Ok((verdict, program))
}

/// Why a GPU that takes so long is to be taken, or why not.
fn gain(timing: Timing) -> std::result::Result<String, String> {
    let figures = format!("the GPU takes {:.0} ms where the CPU takes {:.0} ms", timing.gpu, timing.cpu);
    if timing.gpu <= (1.0 - GAIN) * timing.cpu { Ok(figures) } else { Err(figures) }
}

/// Why no GPU is worth a try.
fn no_candidate(adapters: &[Adapter]) -> Option<String> {
    if adapters.iter().any(|adapter| adapter.refused.is_none() && adapter.avoided.is_none()) {
        return None;
    }
    let reasons: Vec<String> = adapters
        .iter()
        .filter_map(|adapter| adapter.refused.as_ref().or(adapter.avoided.as_ref()).map(|why| (adapter, why)))
        .map(|(adapter, why)| format!("{}: {why}", adapter.name))
        .collect();
    Some(if reasons.is_empty() { "no Vulkan or Metal adapter was found".into() } else { reasons.join("; ") })
}

/// What a device made of a fixed task.
struct Trial {
    logits: Vec<f32>,
    time: Duration,
}

impl Trial {
    fn of(program: &mut dyn Program, vocab: usize, options: &Options, cancel: &Cancel) -> Result<Self> {
        let context = options.context.unwrap_or(PROMPT + ANSWER).min(PROMPT + ANSWER);
        let ids: Vec<u32> = (0..context.min(PROMPT)).map(|i| ((i * 7919 + 13) % vocab.max(1)) as u32).collect();
        let mut logits = Vec::new();
        // The first run warms up.
        let mut run = |program: &mut dyn Program| -> Result<Trial> {
            let mut state = program.state(context)?;
            let started = Instant::now();
            program.run(state.as_mut(), &ids, Want::Last, &mut logits, cancel)?;
            let first = logits.clone();
            for _ in ids.len()..context {
                let id = argmax(&logits).unwrap_or_default();
                program.run(state.as_mut(), &[id], Want::Last, &mut logits, cancel)?;
            }
            Ok(Self { logits: first, time: started.elapsed() })
        };
        run(program)?;
        run(program)
    }

    /// An error unless this device says the same as `other`.
    fn check(&self, other: &Self, tolerance: f64) -> Result<()> {
        let apart = guard::apart(&self.logits, &other.logits);
        if self.logits.len() == other.logits.len() && apart <= tolerance {
            return Ok(());
        }
        Err(Error::Distrusted { device: "gpu", why: format!("its logits are off by {apart:.2e} of their size") })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::gguf::Gguf;
    use crate::guard::Step;
    use crate::model;
    use crate::tokenizer::Tokenizer;
    use crate::weights::Weights;
    use std::path::Path;

    #[test]
    fn a_gpu_must_be_right_and_faster() {
        let trial = |logits: &[f32]| Trial { logits: logits.to_vec(), time: Duration::ZERO };
        let cpu = trial(&[1.0, -2.0, 3.0]);
        trial(&[1.0, -2.0, 3.001]).check(&cpu, 0.01).unwrap();
        for wrong in [[1.0, -2.0, 4.0], [f32::NAN, -2.0, 3.0], [1.0, -2.0, f32::INFINITY]] {
            assert!(trial(&wrong).check(&cpu, 0.01).unwrap_err().to_string().contains("off by"));
        }
        assert!(gain(Timing { gpu: 50.0, cpu: 100.0 }).is_ok());
        let slow = gain(Timing { gpu: 95.0, cpu: 100.0 }).unwrap_err();
        assert_eq!(slow, "the GPU takes 95 ms where the CPU takes 100 ms");
    }

    /// What was found out for one that was asked for by its name lacks the time that it takes.
    #[test]
    fn what_is_known_is_completed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-llama-q4_0.gguf");
        let gguf = Gguf::open(Path::new(path)).unwrap();
        let (_, graph) = model::graph(&gguf).unwrap();
        let weights = Weights::find(&gguf, &graph).unwrap();
        let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options { threads: Some(2), ..Options::default() };
        options.gpu.cache = Some(folder.path().into());
        let candidate =
            Candidate { gguf: &gguf, graph: &graph, weights: &weights, tokenizer: &tokenizer, options: &options };
        let subject = candidate.subject(&gpu::adapters()).unwrap();
        let step = Step { node: "n".into(), from: "rope".into(), to: "rope_safe".into(), why: "w".into() };
        let known = Verdict { subject: subject.clone(), fitness: Fitness::Replaced, ladder: vec![step], timing: None };
        let known_to =
            |cancel: &Cancel| measure(&candidate, subject.clone(), Some(known.clone()), &mut |_, _| Ok(()), cancel);
        let cancelled = Cancel::default();
        cancelled.cancel();
        assert!(matches!(known_to(&cancelled), Err(Error::Cancelled)) && candidate.kept(&subject).is_none());
        let (found, program) = known_to(&Cancel::default()).unwrap();
        assert!(program.is_some() && found.timing.is_some_and(|timing| timing.gpu > 0.0 && timing.cpu > 0.0));
        assert_eq!(Verdict { timing: None, ..found.clone() }, known, "nothing was asked again");
        assert_eq!(candidate.kept(&subject), Some(found));

        let mut wrong = known;
        wrong.give_up("it is wrong".into());
        assert_eq!((wrong.fitness, wrong.ladder.len(), wrong.deny()), (Fitness::Cpu, 2, vec!["rope".to_owned()]));
    }

    #[test]
    fn a_machine_without_a_gpu_says_so() {
        assert_eq!(no_candidate(&[]).unwrap(), "no Vulkan or Metal adapter was found");
        let software: Vec<Adapter> = gpu::adapters().into_iter().filter(|found| found.kind == "software").collect();
        assert!(software.is_empty() || no_candidate(&software).unwrap().contains("software rasteriser"));
    }
}
