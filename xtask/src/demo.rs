//! Summarises the texts in `samples/` with `SmolLM2`, as a user of the command line would.

use crate::model::{self, Licence, SMOLLM2};
use crate::steps::Line;
use anyhow::Result;

/// Builds, gets the model, and summarises a day of notifications and an article.
pub fn run() -> Result<()> {
    eprintln!("Building (release) ...");
    Line::new("cargo build --release --quiet --locked --package kinglet-cli").run()?;
    let path = model::get(&SMOLLM2, Licence::Ask)?;
    for options in ["--notifications samples/notifications.json", "--style bullets samples/article.txt"] {
        eprintln!("\n$ kinglet summarize --model {} {options}", SMOLLM2.name);
        let line = Line::new("cargo run --release --quiet --locked --package kinglet-cli -- summarize --model");
        // Mesa's layer that sorts GPUs complains where there is no display.
        options.split(' ').fold(line.path(&path), Line::word).env("NODEVICE_SELECT", "1").run()?;
    }
    Ok(())
}
