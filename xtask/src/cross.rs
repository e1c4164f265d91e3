//! Runs the CPU backend's tests as aarch64 code, under qemu, for three cores: plain NEON, dotprod, and i8mm; and
//! type-checks the library and its bindings for iOS. For Android they are built (`cargo xtask android`).

use crate::steps::{Counts, Line, Outcome};
use crate::targets::Cargo;
use anyhow::{Context, Result, ensure};

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// ARMv8.0, ARMv8.2 with dotprod, and all that qemu knows; with the instruction set that must be found there.
const CORES: [(&str, &str); 3] = [("cortex-a57", "NEON"), ("cortex-a76", "NEON dotprod"), ("max", "NEON i8mm")];
/// Kernels against plain loops, then whole small models against another implementation.
const TESTS: &str = "cpu:: tiny_models";
/// The phone and the simulator, only type-checked: linking needs what Apple ships.
const IOS: [&str; 2] = ["aarch64-apple-ios", "aarch64-apple-ios-sim"];
const LINKER: &str = "aarch64-linux-gnu-gcc";
const SYSTEM_ROOT: &str = "/usr/aarch64-linux-gnu";

/// Builds once and runs for each core.
pub fn run() -> Result<Outcome> {
    let qemu =
        ["qemu-aarch64-static", "qemu-aarch64"].into_iter().find(|q| Line::new(&format!("{q} --version")).succeeds());
    let qemu = qemu.context("qemu-aarch64-static is missing; xtask/setup.sh installs it")?;
    ensure!(Line::new(&format!("{LINKER} --version")).succeeds(), "{LINKER} is missing; xtask/setup.sh installs it");
    let cargo = match Cargo::for_targets(&[TARGET, IOS[0], IOS[1]]) {
        Ok(cargo) => cargo,
        Err(error) => return Ok(Outcome::Skipped(format!("no standard library for {TARGET}: {error:#}"))),
    };

    let mut all = Counts::default();
    for (core, isa) in CORES {
        println!("--- {core}");
        let counts = test_line(&cargo, qemu, core, isa)?.test().with_context(|| format!("on {core}"))?;
        ensure!(counts.passed > 0, "nothing was tested on {core}");
        all += counts;
    }
    for target in IOS {
        println!("--- {target}");
        // As users get it.
        let check = "check --package kinglet --package kinglet-ffi --no-default-features --locked --target";
        cargo.line(&format!("{check} {target}"))?.run()?;
    }
    let cores = CORES.map(|(core, isa)| format!("{core} ({isa})")).join(", ");
    Ok(Outcome::Passed(format!("{cores}: {all}; type-checked for {}", IOS.join(" and "))))
}

fn test_line(cargo: &Cargo, qemu: &str, core: &str, isa: &str) -> Result<Line> {
    let variable = |part: &str| format!("CARGO_TARGET_{}_{part}", TARGET.to_uppercase().replace('-', "_"));
    let line = format!("test --package kinglet --lib --test cpu --locked --target {TARGET} -- {TESTS}");
    Ok(cargo
        .line(&line)?
        .env("KINGLET_EXPECT_ISA", isa)
        .env(&variable("LINKER"), LINKER)
        .env(&variable("RUNNER"), format!("{qemu} -cpu {core} -L {SYSTEM_ROOT}")))
}
