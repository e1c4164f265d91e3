//! Goes on elsewhere: a first device for as long as it can, and a second one from where the first stopped.
//!
//! A conversation keeps its ids, so that its cache can be made again on the other device. The caller sees the same
//! logits that the second device alone would give, and a [`Switch`] that says why.

use super::{Cancel, Device, Gate, Lines, Memory, Profile, Program, State, Switch, Want};
use crate::graph::NodeId;
use crate::{Error, Result};
use std::any::Any;

/// Makes the second program when it is needed: two sets of weights are more than a phone has room for. Can be cancelled.
pub type Prepare = Box<dyn FnMut(&Cancel) -> Result<Box<dyn Program>> + Send>;

/// Two devices for one graph.
pub struct Relay {
    /// `None` once it was given up.
    first: Option<Box<dyn Program>>,
    prepare: Prepare,
    second: Option<Box<dyn Program>>,
    /// Why the first device was left, until the second is there.
    left: Option<Left>,
    switches: Vec<Switch>,
}

struct Left {
    from: &'static str,
    why: String,
    wrong: bool,
}

impl Relay {
    /// Runs on `first`; on what `prepare` makes after `first` has failed, or while it may not work.
    pub fn new(first: Box<dyn Program>, prepare: Prepare) -> Self {
        Self { first: Some(first), prepare, second: None, left: None, switches: Vec::new() }
    }

    fn second(&mut self, cancel: &Cancel) -> Result<&mut dyn Program> {
        if self.second.is_none() {
            self.second = Some((self.prepare)(cancel)?);
        }
        let second = self.second.as_deref_mut().ok_or(Error::Poisoned)?;
        if let Some(Left { from, why, wrong }) = self.left.take() {
            let to = second.device().kind;
            // Whoever asked is told by the switch; a warning would fall into the text on a terminal.
            log::info!("going on on the {to}: {why}");
            self.switches.push(Switch { from, to, why, wrong });
        }
        Ok(second)
    }

    /// Takes note that runs go on on the second device.
    fn switch(&mut self, why: &Error, cancel: &Cancel) -> Result<()> {
        if let Some(first) = &self.first {
            let wrong = matches!(why, Error::NonFinite { .. } | Error::Distrusted { .. });
            self.left = Some(Left { from: first.device().kind, why: why.cause(), wrong });
        }
        if !matches!(why, Error::Suspended) {
            // Before the second is made, for its memory.
            self.first = None;
        }
        self.second(cancel).map(drop)
    }

    /// The first device, if a conversation that lies on `home` runs on it.
    fn first_for(&mut self, home: Home) -> Option<&mut dyn Program> {
        let first = self.first.as_deref_mut().filter(|_| home == Home::First)?;
        Some(first)
    }
}

/// Which program holds a conversation's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    First,
    Second,
}

/// A conversation that can be made again.
struct Carried {
    context: usize,
    ids: Vec<u32>,
    home: Home,
    /// The home's own state, with all of `ids` or a beginning of them.
    inner: Option<Box<dyn State>>,
}

impl Carried {
    /// Feeds what the home does not yet hold, then `ids`.
    fn run(
        &mut self,
        program: &mut dyn Program,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        if self.inner.is_none() {
            self.inner = Some(program.state(self.context)?);
        }
        let inner = self.inner.as_deref_mut().ok_or(Error::Poisoned)?;
        let known = inner.position().min(self.ids.len());
        if known < self.ids.len() {
            program.run(inner, &self.ids[known..], Want::Nothing, logits, cancel)?;
        }
        let before = self.ids.len();
        let result = program.run(inner, ids, want, logits, cancel);
        let fed = inner.position().saturating_sub(before).min(ids.len());
        self.ids.extend_from_slice(&ids[..fed]);
        result
    }

    fn leave(&mut self) {
        (self.home, self.inner) = (Home::Second, None);
    }
}

/// Whether another device may do better.
fn is_the_devices(error: &Error) -> bool {
    use Error::{Gpu, GpuLost, NoGpu, NonFinite, OutOfMemory, Suspended};
    matches!(error, Gpu { .. } | GpuLost(_) | NoGpu(_) | NonFinite { .. } | OutOfMemory { .. } | Suspended)
}

impl Program for Relay {
    fn device(&self) -> Device {
        let now = self.first.as_ref().or(self.second.as_ref());
        now.map_or_else(|| Device::new("none", String::new()), |program| program.device())
    }

    fn memory(&self, context: usize) -> Memory {
        let now = self.first.as_ref().or(self.second.as_ref());
        now.map_or_else(Memory::default, |program| program.memory(context))
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        let (home, inner) = match &self.first {
            Some(first) => match first.state(context) {
                Ok(inner) => (Home::First, Some(inner)),
                Err(error) if is_the_devices(&error) => (Home::Second, None),
                Err(error) => return Err(error),
            },
            None => (Home::Second, None),
        };
        Ok(Box::new(Carried { context, ids: Vec::new(), home, inner }))
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let carried = state.as_any().downcast_mut::<Carried>().ok_or_else(|| Error::Option {
            name: "state".into(),
            what: "belongs to another device; make it with the program that runs it".into(),
        })?;
        let first_works = self.first.as_ref().is_some_and(|first| first.gate().is_none_or(|gate| !gate.is_closed()));
        if carried.ids.is_empty() && carried.home == Home::Second && first_works {
            // Nothing would be lost by going back.
            (carried.home, carried.inner) = (Home::First, None);
        }
        let before = carried.ids.len();
        if let Some(first) = self.first_for(carried.home) {
            let kind = first.device().kind;
            let result = carried.run(first, ids, want, logits, cancel).and_then(|()| finite(kind, want, logits));
            match result {
                Err(why) if is_the_devices(&why) => self.switch(&why, cancel)?,
                other => return other,
            }
        }
        if carried.home == Home::First {
            carried.ids.truncate(before);
            carried.leave();
        }
        carried.run(self.second(cancel)?, ids, want, logits, cancel)
    }

    fn read(&self, node: NodeId) -> Option<Vec<f32>> {
        self.first.as_ref().or(self.second.as_ref())?.read(node)
    }

    fn share(&mut self, divisor: usize) {
        for program in [&mut self.first, &mut self.second].into_iter().flatten() {
            program.share(divisor);
        }
    }

    fn gate(&self) -> Option<Gate> {
        self.first.as_ref()?.gate()
    }

    fn switches(&self) -> &[Switch] {
        &self.switches
    }

    fn distrust(&mut self, why: Error, other: Box<dyn Program>) -> Result<()> {
        self.second.get_or_insert(other);
        if self.first.is_some() { self.switch(&why, &Cancel::default()) } else { Ok(()) }
    }

    fn profile(&mut self, state: &mut dyn State, ids: &[u32], cancel: &Cancel) -> Result<Option<Profile>> {
        let carried = state.as_any().downcast_mut::<Carried>();
        let inner = carried.and_then(|carried| Some((self.first_for(carried.home)?, carried.inner.as_deref_mut()?)));
        let Some((first, inner)) = inner else { return Ok(None) };
        first.profile(inner, ids, cancel)
    }
}

/// A device that computes NaN is as good as lost.
fn finite(device: &'static str, want: Want, logits: &[f32]) -> Result<()> {
    let left_out = |x: f32| matches!(want, Want::Best(_)) && x == f32::NEG_INFINITY;
    match logits.iter().position(|x| !x.is_finite() && !left_out(*x)) {
        None => Ok(()),
        Some(id) => Err(Error::NonFinite { device, position: 0, id, value: logits[id] }),
    }
}

impl State for Carried {
    fn position(&self) -> usize {
        self.ids.len()
    }

    fn context(&self) -> usize {
        self.context
    }

    fn truncate(&mut self, to: usize) -> Result<()> {
        if let Some(inner) = self.inner.as_mut().filter(|inner| inner.position() > to) {
            inner.truncate(to)?;
        }
        self.ids.truncate(to);
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn State>> {
        let (home, inner) = match self.inner.as_ref().map(|inner| inner.fork()) {
            None => (self.home, None),
            Some(Ok(inner)) => (self.home, Some(inner)),
            // The copy is made again on the other device.
            Some(Err(error)) if is_the_devices(&error) => (Home::Second, None),
            Some(Err(error)) => return Err(error),
        };
        Ok(Box::new(Self { context: self.context, ids: self.ids.clone(), home, inner }))
    }

    fn save(&self, layer: &mut dyn FnMut(Lines) -> Result<()>) -> Result<()> {
        let Some(inner) = self.inner.as_ref().filter(|inner| inner.position() == self.ids.len()) else {
            return Ok(());
        };
        // All before any is handed out: the device may be lost in between.
        let mut layers = Vec::new();
        let saved = inner.save(&mut |lines| {
            layers.push(lines);
            Ok(())
        });
        match saved {
            Ok(()) => layers.into_iter().try_for_each(layer),
            Err(error) if is_the_devices(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn restore(&mut self, ids: &[u32], layers: &mut dyn Iterator<Item = Result<Lines>>) -> Result<bool> {
        let restored = self.inner.as_mut().map_or(Ok(false), |inner| inner.restore(ids, layers));
        match restored {
            Ok(true) => self.ids = ids.to_vec(),
            Ok(false) => return Ok(false),
            // Its ids are fed instead, on the device that is left.
            Err(error) if is_the_devices(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
