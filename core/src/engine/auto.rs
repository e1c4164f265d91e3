//! Which device `auto` takes: the CPU, unless a hardware GPU says the same and is faster.

use super::open::{Chosen, on_cpu, prepare_on};
use super::{DeviceChoice, Options};
use crate::Result;
use crate::backend::gpu::{self, Adapter};
use crate::backend::relay::Relay;
use crate::backend::{Cancel, Program, Want};
use crate::generate::argmax;
use crate::graph::Graph;
use crate::guard;
use crate::weights::Weights;
use std::time::{Duration, Instant};

/// Tokens of the task that both devices are timed with: about a notification, and its summary.
const PROMPT: usize = 64;
const ANSWER: usize = 16;
/// A GPU must save this part of the time, for it takes the screen's power and its start takes longer.
const GAIN: f64 = 0.1;

pub(super) fn choose(
    graph: &Graph,
    weights: &Weights,
    options: &Options,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Chosen> {
    let on = |device, progress: &mut dyn FnMut(usize, usize)| {
        prepare_on(device, graph.clone(), weights.clone(), options, progress)
    };
    let cpu = |why: String, progress: &mut dyn FnMut(usize, usize)| {
        log::info!("auto: the cpu, since {why}");
        Ok(Chosen { why, ..Chosen::asked(on(DeviceChoice::Cpu, progress)?) })
    };
    let relay = |gpu: Box<dyn Program>, why: String| {
        log::info!("auto: the gpu, since {why}");
        let (second, witness) = (on_cpu(graph, weights, options), on_cpu(graph, weights, options));
        Chosen { program: Box::new(Relay::new(gpu, second)), why, witness: Some(witness) }
    };

    if let Some(name) = &options.gpu.adapter {
        return match on(DeviceChoice::Gpu, progress) {
            Ok(gpu) => Ok(relay(gpu, format!("the adapter {name:?} was asked for"))),
            Err(error) => cpu(error.to_string(), progress),
        };
    }
    if let Some(why) = no_candidate(&gpu::adapters()) {
        return cpu(why, progress);
    }
    // One after the other: a phone has no room for two sets of weights.
    let mut program = on(DeviceChoice::Cpu, progress)?;
    let on_cpu = Trial::of(program.as_mut(), graph.vocab(), options)?;
    drop(program);
    let tried = on(DeviceChoice::Gpu, progress).and_then(|mut program| {
        let trial = Trial::of(program.as_mut(), graph.vocab(), options)?;
        Ok((program, trial))
    });
    match tried {
        Err(error) => cpu(error.to_string(), progress),
        Ok((program, on_gpu)) => match on_gpu.against(&on_cpu, guard::tolerance(options.activations)) {
            Ok(why) => Ok(relay(program, why)),
            Err(why) => {
                drop(program);
                cpu(why, progress)
            }
        },
    }
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
    fn of(program: &mut dyn Program, vocab: usize, options: &Options) -> Result<Self> {
        let context = options.context.unwrap_or(PROMPT + ANSWER).min(PROMPT + ANSWER);
        let ids: Vec<u32> = (0..context.min(PROMPT)).map(|i| ((i * 7919 + 13) % vocab.max(1)) as u32).collect();
        let cancel = Cancel::default();
        let mut logits = Vec::new();
        // The first run warms up.
        let mut run = |program: &mut dyn Program| -> Result<Trial> {
            let mut state = program.state(context)?;
            let started = Instant::now();
            program.run(state.as_mut(), &ids, Want::Last, &mut logits, &cancel)?;
            let first = logits.clone();
            for _ in ids.len()..context {
                let id = argmax(&logits).unwrap_or_default();
                program.run(state.as_mut(), &[id], Want::Last, &mut logits, &cancel)?;
            }
            Ok(Self { logits: first, time: started.elapsed() })
        };
        run(program)?;
        run(program)
    }

    /// Why this device is to be taken instead of `other`, or why not.
    fn against(&self, other: &Self, tolerance: f64) -> std::result::Result<String, String> {
        let apart = guard::apart(&self.logits, &other.logits);
        if self.logits.len() != other.logits.len() || apart.is_nan() || apart > tolerance {
            return Err(format!("the GPU's logits differ from the CPU's by {apart:.2e} of their size"));
        }
        let (gpu, cpu) = (self.time.as_secs_f64() * 1e3, other.time.as_secs_f64() * 1e3);
        let figures = format!("the GPU takes {gpu:.0} ms where the CPU takes {cpu:.0} ms");
        if gpu <= (1.0 - GAIN) * cpu { Ok(figures) } else { Err(figures) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trial(logits: &[f32], ms: u64) -> Trial {
        Trial { logits: logits.to_vec(), time: Duration::from_millis(ms) }
    }

    #[test]
    fn a_gpu_must_be_right_and_faster() {
        let cpu = trial(&[1.0, -2.0, 3.0], 100);
        assert!(trial(&[1.0, -2.0, 3.001], 50).against(&cpu, 0.01).is_ok());
        let slow = trial(&[1.0, -2.0, 3.0], 95).against(&cpu, 0.01).unwrap_err();
        assert_eq!(slow, "the GPU takes 95 ms where the CPU takes 100 ms");
        for wrong in [[1.0, -2.0, 4.0], [f32::NAN, -2.0, 3.0], [1.0, -2.0, f32::INFINITY]] {
            assert!(trial(&wrong, 50).against(&cpu, 0.01).unwrap_err().contains("differ"));
        }
    }

    #[test]
    fn a_machine_without_a_gpu_says_so() {
        assert_eq!(no_candidate(&[]).unwrap(), "no Vulkan or Metal adapter was found");
        let software: Vec<Adapter> = gpu::adapters().into_iter().filter(|found| found.kind == "software").collect();
        assert!(software.is_empty() || no_candidate(&software).unwrap().contains("software rasteriser"));
    }
}
