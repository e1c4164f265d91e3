//! The front door: open a model, hand out sessions, stream text.
//!
//! Wires the layers together and computes nothing itself: what a model is, how it runs and how a token is chosen are
//! decided below.

mod auto;
mod chooser;
mod diagnose;
mod effort;
mod generation;
mod open;
mod options;
mod plan;
mod qualify;
mod saved;
mod session;
#[cfg(test)]
mod tests;

pub use diagnose::{Diagnose, DivergenceReport};
pub use effort::Effort;
pub(crate) use generation::shorten;
pub use generation::{Generation, Piece};
#[cfg(test)]
pub(crate) use open::{Chosen, assemble};
pub use options::{Activations, DeviceChoice, GpuOptions, KvType, Options, Qualify, Schedule};
pub use qualify::Qualification;
pub use session::Session;

use crate::backend::relay::Prepare;
use crate::backend::{Cancel, Device, Gate, Meanwhile, Memory, Program, State, Switch, Want};
use crate::chat::{ChatTemplate, Message, Role};
use crate::gguf::Gguf;
use crate::model::Config;
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// An opened model. Cheap to clone; may be used from several threads, which take turns.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    gguf: Gguf,
    config: Config,
    tokenizer: Tokenizer,
    chat: ChatTemplate,
    context: usize,
    kv: KvType,
    activations: Activations,
    /// Tokens of a prompt that are computed together.
    chunk: usize,
    effort: Mutex<Effort>,
    /// What runs the model now.
    device: Mutex<Device>,
    /// Why it was chosen.
    why: String,
    gate: Option<Gate>,
    switches: Mutex<Vec<Switch>>,
    memory: Memory,
    /// One run at a time.
    program: Mutex<Box<dyn Program>>,
    /// Makes the device to ask where the program's is doubted.
    witness: Option<Mutex<Prepare>>,
    /// Whether answers are checked now and then without any doubt.
    audits: bool,
    answers: AtomicUsize,
}

impl Engine {
    /// Opens a GGUF file.
    ///
    /// # Errors
    /// Whatever is wrong with the file, the model in it, or the options, each named.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self> {
        Self::open_with(path, options, &mut |_, _| {})
    }

    /// The same with progress: bytes of weights prepared, of all.
    pub fn open_with(
        path: impl AsRef<Path>,
        options: &Options,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        Self::open_cancellable(path, options, progress, &Cancel::default())
    }

    /// The same, and `cancel` stops it: while weights are prepared, between weights, and while a GPU is tried.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Cancelled`].
    pub fn open_cancellable(
        path: impl AsRef<Path>,
        options: &Options,
        progress: &mut dyn FnMut(usize, usize),
        cancel: &Cancel,
    ) -> Result<Self> {
        open::open(path.as_ref(), options, progress, cancel)
    }

    /// What the model would take in memory with these options, from the file's header alone: nothing is loaded.
    ///
    /// `weights` is exact for the formats' packed or mapped bytes, `kv` is one session's, `scratch` what the CPU
    /// computes in: an estimate for other devices.
    pub fn plan(path: impl AsRef<Path>, options: &Options) -> Result<Memory> {
        plan::plan(path.as_ref(), options)
    }

    /// The file.
    pub fn gguf(&self) -> &Gguf {
        &self.0.gguf
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Text to ids and back.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.0.tokenizer
    }

    /// How the model wants to be talked to.
    pub fn chat_template(&self) -> &ChatTemplate {
        &self.0.chat
    }

    /// What runs the model now.
    pub fn device(&self) -> Device {
        lock(&self.0.device).clone()
    }

    /// Why the model was opened on its first device.
    pub fn device_reason(&self) -> &str {
        &self.0.why
    }

    /// The devices that were given up so far: under [`DeviceChoice::Auto`] a lost GPU ends nothing.
    pub fn switches(&self) -> Vec<Switch> {
        lock(&self.0.switches).clone()
    }

    /// Keeps the GPU from working, and returns once it has nothing more to do, at most one submission later; for an app
    /// that goes to the background. Meanwhile runs wait or, as the caller chooses, leave it: then they go on on the CPU
    /// under [`DeviceChoice::Auto`] and end with [`Error::Suspended`] else. Nothing happens where no GPU is used.
    pub fn suspend(&self, meanwhile: Meanwhile) {
        if let Some(gate) = &self.0.gate {
            gate.close(meanwhile);
        }
    }

    /// Lets the GPU work again.
    pub fn resume(&self) {
        if let Some(gate) = &self.0.gate {
            gate.open();
        }
    }

    /// How hard it works from now on; what runs follows within a token, or a part of a prompt.
    pub fn set_effort(&self, effort: Effort) {
        *lock(&self.0.effort) = effort;
    }

    /// How hard it works.
    pub fn effort(&self) -> Effort {
        *lock(&self.0.effort)
    }

    /// What the model and one session take.
    pub fn memory(&self) -> Memory {
        self.0.memory
    }

    /// Positions of a session.
    pub fn context(&self) -> usize {
        self.0.context
    }

    /// Tokens in the vocabulary.
    pub fn vocab(&self) -> usize {
        self.0.config.vocab
    }

    /// The ids of one request in the model's chat format, up to where the answer begins. No text in it can become a
    /// control token.
    pub fn prompt(&self, request: &str) -> Result<Vec<u32>> {
        self.0.chat.encode(&self.0.tokenizer, &[Message::new(Role::User, request)], true)
    }

    /// An empty session.
    pub fn session(&self) -> Result<Session> {
        Ok(Session::new(self.clone(), self.lock()?.state(self.0.context)?))
    }

    /// How keys and values are stored.
    fn kv(&self) -> KvType {
        self.0.kv
    }

    /// How activations enter integer products.
    fn activations(&self) -> Activations {
        self.0.activations
    }

    /// Whether a generation may take text back: its device may turn out to be wrong, and another can tell.
    pub fn may_take_back(&self) -> bool {
        self.0.witness.is_some() && self.device().kind != "cpu"
    }

    /// Counts an answer. The first, the second, the fourth of an engine that chose its device by itself and so on are
    /// checked on the other device without any doubt: a driver that is wrong gives plausible nonsense as well. Of
    /// thousand answers these are ten.
    fn is_time_for_an_audit(&self) -> bool {
        let answers = self.0.answers.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.audits && self.may_take_back() && answers.is_power_of_two()
    }

    /// A device to ask where the program's is doubted. It takes memory for weights of its own, while it is there.
    fn witness(&self, cancel: &Cancel) -> Result<Option<Box<dyn Program>>> {
        self.0.witness.as_ref().map(|prepare| lock(prepare)(cancel)).transpose()
    }

    /// Goes on on `other`, since the program's device is wrong; the error itself where it may not.
    fn distrust(&self, why: Error, other: Box<dyn Program>) -> Result<()> {
        let mut program = self.lock()?;
        program.distrust(why, other)?;
        self.note_switches(program.as_ref());
        Ok(())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Box<dyn Program>>> {
        self.0.program.lock().map_err(|_| Error::Poisoned)
    }

    fn run(
        &self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut left = ids;
        loop {
            let effort = self.effort();
            let (now, later) = left.split_at(effort.part(left.len(), self.0.chunk, want));
            let want = if later.is_empty() { want } else { Want::Nothing };
            let started = Instant::now();
            self.run_at(effort, state, now, want, logits, cancel)?;
            effort.rest(started.elapsed(), cancel);
            if later.is_empty() {
                return Ok(());
            }
            left = later;
        }
    }

    fn run_at(
        &self,
        effort: Effort,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut program = self.lock()?;
        program.share(effort.divisor());
        let result = program.run(state, ids, want, logits, cancel);
        self.note_switches(program.as_ref());
        result
    }

    fn note_switches(&self, program: &dyn Program) {
        let mut known = lock(&self.0.switches);
        if known.len() < program.switches().len() {
            *known = program.switches().to_vec();
            *lock(&self.0.device) = program.device();
        }
    }
}

/// Locks what is never left half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
