//! Prefill and decode of both models with both kinds of activations, one and two threads: a table of medians.

use crate::model::{self, GEMMA3, Licence, SMOLLM2};
use crate::steps::Line;
use anyhow::{Context, Result};
use serde_json::Value;

/// Runs `kinglet bench` for each row of the table.
pub fn run(prefill: usize, decode: usize, repeat: usize) -> Result<()> {
    Line::new("cargo build --release --quiet --locked --package kinglet-cli").run()?;
    println!(
        "| model | activations | threads | prefill {prefill}, tokens/s | decode {decode}, tokens/s | load, ms | peak RSS, MB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for model in [&SMOLLM2, &GEMMA3] {
        let path = model::get(model, Licence::Ask)?;
        for activations in ["int16", "int8"] {
            for threads in [1, 2] {
                let options = format!(
                    "--device cpu --json --activations {activations} --threads {threads} \
                     --prefill {prefill} --decode {decode} --repeat {repeat}"
                );
                let line =
                    format!("cargo run --release --quiet --locked --package kinglet-cli -- bench {options} --model");
                let output = Line::new(&line).path(&path).output()?;
                let report: Value = serde_json::from_str(&output).context("kinglet bench printed no JSON")?;
                let number =
                    |name: &str| report.get(name).and_then(Value::as_f64).with_context(|| format!("no {name}"));
                println!(
                    "| {} | {activations} | {threads} | {:.0} | {:.1} | {:.0} | {:.0} |",
                    model.name,
                    number("prefill_tps")?,
                    number("decode_tps")?,
                    number("load_ms")?,
                    number("peak_rss_bytes")? / 1e6,
                );
            }
        }
    }
    Ok(())
}
