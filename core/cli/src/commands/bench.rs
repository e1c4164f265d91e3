//! `kinglet bench`: how fast and how large.

use crate::app::{App, Outcome, Ran};
use crate::args::{ModelArgs, positive};
use crate::failure::Failure;
use crate::{numbers, output, progress, stats};
use clap::Args;
use kinglet::backend::{Best, Cancel, KernelTime, Memory, Profile, Want};
use kinglet::engine::Session;
use kinglet::generate::argmax;
use kinglet::stats::peak_rss_bytes;
use serde::Serialize;
use std::time::Instant;

/// Decoding starts after this many tokens.
const DECODE_AFTER: usize = 16;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Bench {
    #[command(flatten)]
    model: ModelArgs,

    /// Tokens of the prompt; 0 to leave prefill out
    #[arg(long, value_name = "TOKENS", default_value_t = 512)]
    prefill: usize,

    /// Tokens to decode one by one; 0 to leave decoding out
    #[arg(long, value_name = "TOKENS", default_value_t = 64)]
    decode: usize,

    /// Measurements of each
    #[arg(long, value_name = "R", default_value_t = 5, value_parser = positive)]
    repeat: usize,

    /// Also say what the device does for one token: kernels, times, submissions, bytes. GPUs only
    #[arg(long)]
    profile: bool,
}

const HELP: &str = "\
Each measurement starts from an empty session; one that is not counted warms up.
  prefill_tps     tokens a second of reading a prompt of --prefill tokens, median
  decode_tps      tokens a second of a greedy generation of --decode tokens after a context of 16, median
  load_ms         time to open the model, in milliseconds
  peak_rss_bytes  most memory the process has held, the mapped file's pages among it
With --profile, of one decoded token:
  dispatches_per_token, submissions_per_token   kernels started, and pieces of work handed to the device
  kernels            [{name, count, us}], by the device's own clock; us is null where it has none
  weight_bytes       bytes of weights read a token
  upload_ms, pipeline_ms                        moving the weights to the device, compiling its kernels
  max_binding_bytes, max_storage_buffers        the largest buffer, and the most of them, that a kernel sees
The prompt is a fixed row of ids, the same on every machine.

Examples:
  kinglet bench --model smollm2
  kinglet bench --model gemma3-270m --threads 2 --prefill 512 --decode 64 --repeat 5 --json";

#[derive(Serialize)]
struct Answer {
    prefill_tps: Option<f64>,
    decode_tps: Option<f64>,
    prefill_samples: Vec<f64>,
    decode_samples: Vec<f64>,
    load_ms: f64,
    peak_rss_bytes: Option<u64>,
    prefill: usize,
    decode: usize,
    repeat: usize,
    device: String,
    /// Why `auto` took it.
    device_reason: String,
    model: String,
    #[serde(flatten)]
    profile: Option<Profiled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'static str>,
}

#[derive(Serialize)]
struct Profiled {
    dispatches_per_token: usize,
    submissions_per_token: usize,
    kernels: Vec<Kernel>,
    weight_bytes: u64,
    pipeline_ms: f64,
    upload_ms: f64,
    max_binding_bytes: u64,
    max_storage_buffers: usize,
    memory: MemoryBytes,
}

#[derive(Serialize)]
struct Kernel {
    name: String,
    count: usize,
    us: Option<f64>,
}

#[derive(Serialize)]
struct MemoryBytes {
    weights: usize,
    kv: usize,
    scratch: usize,
}

impl Profiled {
    fn new(profile: Profile, memory: Memory) -> Self {
        let kernel = |KernelTime { name, count, time }| Kernel { name, count, us: time.map(|t| t.as_secs_f64() * 1e6) };
        Self {
            dispatches_per_token: profile.dispatches,
            submissions_per_token: profile.submissions,
            kernels: profile.kernels.into_iter().map(kernel).collect(),
            weight_bytes: profile.weight_bytes,
            pipeline_ms: profile.pipelines.as_secs_f64() * 1e3,
            upload_ms: profile.upload.as_secs_f64() * 1e3,
            max_binding_bytes: profile.max_binding_bytes,
            max_storage_buffers: profile.max_storage_buffers,
            memory: MemoryBytes { weights: memory.weights, kv: memory.kv, scratch: memory.scratch },
        }
    }
}

impl Bench {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let start = Instant::now();
        let tokens = self.prefill.max(self.decode.saturating_add(DECODE_AFTER + 1));
        let engine = self.model.open_for(app, tokens)?;
        let load_ms = start.elapsed().as_secs_f64() * 1e3;

        let vocab = engine.config().vocab;
        let ids: Vec<u32> = (0..tokens).map(|i| id(i, vocab)).collect();
        let mut session = engine.session()?;
        let cancel = app.interrupt.begin();
        let (mut prefill, mut decode) = (Vec::new(), Vec::new());
        let ended = self.measure(app, &mut session, &ids, &cancel, &mut prefill, &mut decode);
        let cancelled = matches!(ended, Err(kinglet::Error::Cancelled));
        if !cancelled {
            ended?;
        }

        let profile = if self.profile && !cancelled {
            session.reset()?;
            session.feed(&ids[..ids.len().min(DECODE_AFTER)], &cancel)?;
            let profile = session.profile(&[id(DECODE_AFTER, vocab)], &cancel)?;
            let none = || Failure::option("--profile", "only a GPU has a profile; give --device gpu");
            Some(Profiled::new(profile.ok_or_else(none)?, engine.memory()))
        } else {
            None
        };
        let answer = Answer {
            profile,
            device_reason: engine.device_reason().into(),
            prefill_tps: numbers::median(&prefill),
            decode_tps: numbers::median(&decode),
            prefill_samples: prefill,
            decode_samples: decode,
            load_ms,
            peak_rss_bytes: peak_rss_bytes(),
            prefill: self.prefill,
            decode: self.decode,
            repeat: self.repeat,
            device: stats::device(&engine),
            model: self.model.path()?.display().to_string(),
            stop: cancelled.then_some("cancelled"),
        };
        if app.json {
            output::json(&answer)?;
        } else {
            show(&answer)?;
        }
        Ok(if cancelled { Outcome::Cancelled } else { Outcome::Done })
    }

    fn measure(
        &self,
        app: &App,
        session: &mut Session,
        ids: &[u32],
        cancel: &Cancel,
        prefill: &mut Vec<f64>,
        decode: &mut Vec<f64>,
    ) -> kinglet::Result<()> {
        let bar = progress::counting(app, "measuring");
        bar.set_length(self.repeat as u64);
        // Warm up: pages, caches and the clock.
        session.feed(&ids[..ids.len().min(DECODE_AFTER)], cancel)?;
        for _ in 0..self.repeat {
            if self.prefill > 0 {
                session.reset()?;
                let start = Instant::now();
                session.feed(&ids[..self.prefill], cancel)?;
                prefill.push(self.prefill as f64 / start.elapsed().as_secs_f64());
            }
            if self.decode > 0 {
                session.reset()?;
                session.feed(&ids[..DECODE_AFTER], cancel)?;
                let start = Instant::now();
                // A greedy generation, but for the text.
                for _ in 0..self.decode {
                    let id = argmax(session.logits()).unwrap_or_default();
                    session.feed_for(&[id], Want::Best(Best::of(1)), cancel)?;
                }
                decode.push(self.decode as f64 / start.elapsed().as_secs_f64());
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// A fixed row of ids that visits the whole vocabulary.
fn id(i: usize, vocab: usize) -> u32 {
    ((i * 7919 + 13) % vocab.max(1)) as u32
}

fn show(answer: &Answer) -> Result<(), Failure> {
    let row = |name: &str, length: usize, median: Option<f64>, samples: &[f64]| match median {
        Some(median) => {
            let all: Vec<_> = samples.iter().map(|sample| output::rate(*sample)).collect();
            output::line(&format!("{name} {length:>5}  {:>8} tokens/s   ({})", output::rate(median), all.join(" ")))
        }
        None => Ok(()),
    };
    output::line(&format!("model   {}", answer.model))?;
    output::line(&format!("device  {}", answer.device))?;
    row("prefill", answer.prefill, answer.prefill_tps, &answer.prefill_samples)?;
    row("decode ", answer.decode, answer.decode_tps, &answer.decode_samples)?;
    output::line(&format!("load    {:.0} ms", answer.load_ms))?;
    if let Some(profile) = &answer.profile {
        show_profile(profile)?;
    }
    match answer.peak_rss_bytes {
        Some(peak) => output::line(&format!("memory  {} at most", output::bytes(peak as usize))),
        None => Ok(()),
    }
}

fn show_profile(profile: &Profiled) -> Result<(), Failure> {
    let mib = |bytes: u64| output::bytes(bytes as usize);
    output::line(&format!("upload  {:.0} ms, pipelines {:.0} ms", profile.upload_ms, profile.pipeline_ms))?;
    output::line(&format!(
        "a token {} dispatches in {} submissions, {} of weights read",
        profile.dispatches_per_token,
        profile.submissions_per_token,
        mib(profile.weight_bytes)
    ))?;
    output::line(&format!(
        "largest binding {}, at most {} storage buffers a kernel",
        mib(profile.max_binding_bytes),
        profile.max_storage_buffers
    ))?;
    for kernel in &profile.kernels {
        let time = kernel.us.map_or("       -".into(), |us| format!("{us:>8.0}"));
        output::line(&format!("{time} us  {:>4} x  {}", kernel.count, kernel.name))?;
    }
    Ok(())
}
