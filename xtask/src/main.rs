//! The project's own commands. Each is one module; `cargo xtask help` lists them.

mod android;
mod bench;
mod bindings;
mod cache;
mod cross;
mod debian;
mod demo;
mod deny;
mod ios;
mod model;
mod steps;
mod targets;
mod test;
mod wheel;

use android::Extent;
use clap::{Parser, Subcommand};
use model::Licence;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Kinglet's own commands", disable_version_flag = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gets a model into the cache folder and prints its path.
    Model {
        /// smollm2 or gemma3-270m.
        name: String,
        /// Accepts the model's licence without asking (also: `KINGLET_ACCEPT_LICENCE=1`).
        #[arg(long, alias = "accept-license")]
        accept_licence: bool,
    },
    /// Builds the release binary, gets `SmolLM2`, and summarises the texts in samples/.
    Demo,
    /// Checks everything that CI checks, in the same order.
    Test {
        /// Leaves out what needs the models or the aarch64 tools.
        #[arg(long)]
        quick: bool,
    },
    /// Checks the licences, sources and versions of the dependencies.
    Deny,
    /// Runs the CPU backend's tests on aarch64 under qemu, and type-checks for iOS.
    Cross,
    /// Builds kinglet-ffi and generates its Kotlin, Swift and Python.
    Bindings {
        /// Where to; `target/bindings` by default. Each language has its own folder there.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Builds the library with optimisation.
        #[arg(long)]
        release: bool,
    },
    /// Builds the Android library (AAR), looks into it and runs its tests with this machine's own native library.
    ///
    /// Without an NDK the native library inside is linked against stand-ins of Android's, and must not be shipped.
    Android {
        /// Optimises the native libraries, and builds those of every ABI.
        #[arg(long)]
        release: bool,
        /// Formats the Kotlin and writes the public API down anew, where it would complain otherwise.
        #[arg(long)]
        fix: bool,
    },
    /// Checks the Swift package and the sample app, and runs their tests with this machine's own native library; on a Mac
    /// it builds the `XCFramework` first.
    ///
    /// On Linux without Swift 6.0 or newer it takes Debian's, which is kept in the cache folder.
    Ios {
        /// Formats the Swift, and writes the generated bindings and the public API down anew, where it would complain
        /// otherwise.
        #[arg(long)]
        fix: bool,
    },
    /// Measures prefill and decode with both models.
    Bench {
        /// Tokens of the prompt.
        #[arg(long, default_value_t = 512)]
        prefill: usize,
        /// Tokens generated.
        #[arg(long, default_value_t = 64)]
        decode: usize,
        /// Runs, of which the median counts.
        #[arg(long, default_value_t = 5)]
        repeat: usize,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Model { name, accept_licence } => {
            let licence = if accept_licence { Licence::Accepted } else { Licence::Ask };
            model::find(&name).and_then(|model| model::get(model, licence)).map(|path| println!("{}", path.display()))
        }
        Command::Demo => demo::run(),
        Command::Test { quick } => test::run(quick),
        Command::Deny => deny::run().map(|summary| println!("{summary}")),
        Command::Cross => cross::run().map(|summary| println!("{summary}")),
        Command::Bindings { out, release } => bindings::run(out, release).map(|out| println!("{}", out.display())),
        Command::Android { release, fix } => {
            android::run(Extent { release, everything: true, fix }).map(|summary| println!("{summary}"))
        }
        Command::Ios { fix } => ios::run(ios::Extent { everything: true, fix }).map(|summary| println!("{summary}")),
        Command::Bench { prefill, decode, repeat } => bench::run(prefill, decode, repeat),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
