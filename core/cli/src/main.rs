//! The binary `kinglet`: the library's functions on the command line.
//!
//! Results go to standard output (with `--json` as one object), everything else to standard error.
//! Exit status: 0, 1 after an error, 2 after wrong usage, 130 after Ctrl-C.

mod app;
mod args;
mod commands;
mod cpu;
mod failure;
mod ids;
mod input;
mod interrupt;
mod logging;
mod models;
mod numbers;
mod output;
mod plan;
mod progress;
mod sampling;
mod screen;
mod stats;
mod stream;

use app::{App, Outcome};
use clap::Parser;
use commands::Command;
use interrupt::Interrupt;
use std::process::ExitCode;

/// Runs small language models (GGUF files) on this machine, offline.
#[derive(Parser)]
#[command(name = "kinglet", version, propagate_version = true, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print the result as JSON (errors too, as {"error": {"kind", "message"}})
    #[arg(long, global = true)]
    json: bool,

    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Say nothing but errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  kinglet summarize --model smollm2 article.txt
  git log -20 | kinglet summarize --model smollm2 --style bullets
  kinglet classify --model smollm2 --labels work,private,spam mail.txt
  kinglet chat --model smollm2
  kinglet inspect --model some-model.gguf

Set KINGLET_MODEL to leave --model out. `kinglet COMMAND --help` explains a command and its numbers.
Exit status: 0 done, 1 error, 2 wrong usage, 130 after Ctrl-C (what is there is printed first).";

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::install(cli.verbose, cli.quiet);
    let app = App { json: cli.json, quiet: cli.quiet, interrupt: Interrupt::install(cli.json) };
    match cli.command.run(&app) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::FAILURE,
        Ok(Outcome::Cancelled) => ExitCode::from(interrupt::STATUS),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            if app.json {
                // Nothing is left to tell it to where this fails.
                let _ = output::error(failure.kind(), &failure.to_string());
            }
            ExitCode::from(if failure.is_cancelled() { interrupt::STATUS } else { 1 })
        }
    }
}
