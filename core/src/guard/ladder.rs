//! What is done about a GPU's faults: each kernel that fails is replaced alone, by the plainer calls or the plainer
//! variant that stand in for it; where that does not help, the whole model goes to the CPU.
//!
//! No single operation goes to the CPU: it would cost a wait for the device, there and back, in each layer of each token,
//! which takes longer than all of the model on the CPU.

use super::exam::{Exam, Fault, WHOLE};
use super::verdicts::Crash;
use crate::backend::gpu::stand_in;
use crate::backend::{Cancel, Program};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Times that a device is prepared anew; each of them replaces at least one kernel.
const MOST_ROUNDS: usize = 8;

/// Something was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The node that was wrong; `the whole model` where none was by itself, and a kernel's name where it was refused.
    pub node: String,
    /// The kernel that was given up, or `gpu`.
    pub from: String,
    /// What stands in for it: `plain calls`, the kernel's plainest variant, or `cpu`.
    pub to: String,
    /// What was wrong.
    pub why: String,
}

/// Where the model goes when nothing helps.
const CPU: &str = "cpu";

impl Step {
    /// The last one.
    pub(super) fn to_cpu(why: String) -> Self {
        log::warn!("gpu: the model goes to the CPU, since {why}");
        Self { node: WHOLE.into(), from: "gpu".into(), to: CPU.into(), why }
    }
}

/// The kernels that a ladder has replaced.
pub(crate) fn denied(ladder: &[Step]) -> Vec<String> {
    ladder.iter().filter(|step| step.to != CPU).map(|step| step.from.clone()).collect()
}

/// What a device came to.
#[derive(Default)]
pub(crate) struct Climbed {
    /// The device, if it can be trusted.
    pub(crate) program: Option<Box<dyn Program>>,
    pub(crate) ladder: Vec<Step>,
    /// Nodes and tokens that were computed.
    pub(crate) runs: usize,
}

impl Climbed {
    /// Goes on where a process ended. Whether anything is left to be tried.
    ///
    /// A kernel that ran then is replaced. Preparing takes seconds, in which a user or the system may end the process for
    /// reasons of their own, and it would cost the whole device: it is to blame the second time.
    pub(crate) fn after_a_crash(crash: Crash) -> (Self, bool) {
        let Crash { ladder, kernels, before, .. } = crash;
        let mut climbed = Self { ladder, ..Self::default() };
        if kernels.is_empty() {
            let go_on = before == 0;
            let ended = || "the process ended twice while it was prepared".into();
            return if go_on { (climbed, true) } else { (climbed.give_up(ended()), false) };
        }
        let fault = Fault { node: WHOLE.into(), suspects: kernels, why: "the process ended while it ran".into() };
        match climbed.replace(fault, usize::MAX) {
            None => (climbed, true),
            Some(fault) => (climbed.give_up(fault.why), false),
        }
    }

    /// Lets devices, prepared without the denied kernels, sit the exam until one passes. `watch` is told the ladder so far
    /// and which kernels run next, and how much of the exam is done.
    ///
    /// # Errors
    /// [`Error::Cancelled`] and [`Error::Option`]; what is wrong with the device is a step of the ladder.
    pub(crate) fn climb(
        mut self,
        exam: &Exam,
        prepare: &mut dyn FnMut(&[String]) -> Result<Box<dyn Program>>,
        watch: &mut dyn FnMut(&[Step], &[String], usize, usize),
        cancel: &Cancel,
    ) -> Result<Self> {
        for _ in 0..MOST_ROUNDS {
            cancel.check()?;
            watch(&self.ladder, &[], 0, 1);
            let before = self.ladder.len();
            let mut program = match prepare(&denied(&self.ladder)) {
                Ok(program) => program,
                Err(Error::Kernel { kernel, name, why }) => {
                    match self.replace(Fault { node: name, suspects: vec![kernel], why }, before) {
                        None => continue,
                        Some(fault) => return Ok(self.give_up(format!("{}: {}", fault.node, fault.why))),
                    }
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                // What the caller asked for makes no sense.
                Err(error @ Error::Option { .. }) if self.ladder.is_empty() => return Err(error),
                Err(error) => return Ok(self.give_up(error.cause())),
            };
            let watch = &mut |kernels: &[String], done, all| watch(&self.ladder, kernels, done, all);
            match exam.sit(program.as_mut(), watch, &mut self.runs, cancel) {
                Ok(faults) if faults.is_empty() => {
                    self.program = Some(program);
                    return Ok(self);
                }
                Ok(faults) => {
                    for fault in faults {
                        if let Some(fault) = self.replace(fault, before) {
                            return Ok(self.give_up(format!("{}: {}", fault.node, fault.why)));
                        }
                    }
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => return Ok(self.give_up(error.cause())),
            }
        }
        Ok(self.give_up(format!("it was wrong {MOST_ROUNDS} times")))
    }

    /// Replaces the likeliest suspect that is not replaced yet, unless one of them was only now, after the first `before`
    /// steps; gives the fault back where all have been.
    fn replace(&mut self, fault: Fault, before: usize) -> Option<Fault> {
        let is_in = |ladder: &[Step], kernel: &String| ladder.iter().any(|step| step.from == *kernel);
        let now = self.ladder.get(before..).unwrap_or_default();
        if fault.suspects.iter().any(|kernel| is_in(now, kernel)) {
            return None;
        }
        let Some(from) = fault.suspects.iter().find(|kernel| !is_in(&self.ladder, kernel)).cloned() else {
            return Some(fault);
        };
        let to = stand_in(&from);
        log::warn!("gpu: {}: {}; {to} in place of {from}", fault.node, fault.why);
        self.ladder.push(Step { node: fault.node, from, to, why: fault.why });
        None
    }

    fn give_up(mut self, why: String) -> Self {
        self.ladder.push(Step::to_cpu(why));
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::gpu::ONE_ROW;

    fn fault(node: &str, suspects: &[&str]) -> Fault {
        let suspects = suspects.iter().map(ToString::to_string).collect();
        Fault { node: node.into(), suspects, why: "it is wrong".into() }
    }

    fn steps(climbed: &Climbed) -> Vec<(&str, &str)> {
        climbed.ladder.iter().map(|step| (step.from.as_str(), step.to.as_str())).collect()
    }

    #[test]
    fn one_kernel_at_a_time_is_replaced_and_the_model_last() {
        let mut climbed = Climbed::default();
        assert!(climbed.replace(fault("a", &["tile", "quantise"]), 0).is_none());
        // Another node's fault may have been the same kernel's: it is asked again first.
        assert!(climbed.replace(fault("b", &["vector", "tile"]), 0).is_none());
        assert_eq!(steps(&climbed), [("tile", "tile_safe")]);
        assert!(climbed.replace(fault("a", &["tile", "quantise"]), 1).is_none());
        assert!(climbed.replace(fault(WHOLE, &[ONE_ROW]), 2).is_none());
        assert_eq!(steps(&climbed)[1..], [("quantise", "quantise_safe"), (ONE_ROW, "plain calls")]);
        assert_eq!(denied(&climbed.ladder), ["tile", "quantise", ONE_ROW]);
        let left = climbed.replace(fault("a", &["tile", "quantise"]), 3).unwrap();
        let climbed = climbed.give_up(left.why);
        assert_eq!(steps(&climbed).last(), Some(&("gpu", CPU)));
        assert_eq!(denied(&climbed.ladder).len(), 3, "what went to the cpu is no kernel");
    }
}
