//! The front door: a model, loaded, behind a thread of its own.

use crate::worker::Worker;
use crate::{Benchmark, DeviceInfo, EngineOptions, MemoryPlan, Message, ModelInfo, Result, Session, Work, report};
use kinglet::tokenizer::Special;
use kinglet::{Effort, Meanwhile};
use std::sync::Arc;

/// A loaded model. One thread runs it, so calls take turns; up to 64 wait, then a call fails with `Busy`.
///
/// Its memory is free once it, its sessions and its streams are gone, or after `shutdown`.
#[derive(uniffi::Object)]
pub struct Engine {
    pub(crate) worker: Arc<Worker>,
    info: ModelInfo,
    memory: MemoryPlan,
    context: u32,
}

#[uniffi::export]
impl Engine {
    /// Loads a GGUF file on a thread of its own. `work` tells how far it is and can stop it, between parts of loading.
    #[uniffi::constructor(default(work = None, options))]
    pub async fn load(path: String, options: EngineOptions, work: Option<Arc<Work>>) -> Result<Arc<Self>> {
        let (options, work) = (options.core()?, Work::of(work));
        let open = move |work: &Work| {
            let mut progress = |done, all| work.note(done, all);
            Ok(kinglet::Engine::open_cancellable(path, &options, &mut progress, work.token())?)
        };
        let (worker, engine) = Worker::start(&work, open)?.get().await?;
        Ok(Arc::new(Self {
            worker: Arc::new(worker),
            info: ModelInfo::of(engine.gguf(), engine.config(), engine.chat_template())?,
            memory: engine.memory().into(),
            context: engine.context() as u32,
        }))
    }

    /// What the file holds.
    pub fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    /// What the model and one session take.
    pub fn memory(&self) -> MemoryPlan {
        self.memory
    }

    /// Positions of a session.
    pub fn context(&self) -> u32 {
        self.context
    }

    /// What runs the model now; under `Auto` that may change.
    pub fn device(&self) -> Result<DeviceInfo> {
        Ok(DeviceInfo::of(&self.worker.engine()?))
    }

    /// Tokens of a text. This and its like run on the caller's thread; keep long texts off the one that draws.
    pub fn count_tokens(&self, text: String) -> Result<u32> {
        Ok(self.tokenize(text)?.len() as u32)
    }

    /// Tokens of a conversation, with all that the chat template adds, up to where the answer begins.
    pub fn count_message_tokens(&self, messages: Vec<Message>) -> Result<u32> {
        let engine = self.worker.engine()?;
        let messages: Vec<_> = messages.into_iter().map(|m| kinglet::chat::Message::new(m.role, m.content)).collect();
        Ok(engine.chat_template().encode(engine.tokenizer(), &messages, true)?.len() as u32)
    }

    /// A text's ids, without a begin-of-sequence token. No text becomes a control token.
    pub fn tokenize(&self, text: String) -> Result<Vec<u32>> {
        Ok(self.worker.engine()?.tokenizer().encode(&text, Special::Plain)?)
    }

    /// The text of ids; what is no UTF-8 becomes U+FFFD.
    pub fn detokenize(&self, ids: Vec<u32>) -> Result<String> {
        Ok(self.worker.engine()?.tokenizer().decode_text(&ids)?)
    }

    /// An empty session.
    pub async fn session(&self) -> Result<Arc<Session>> {
        Session::create(&self.worker, &Work::new(), |model, _| Ok(model.engine.session()?)).await
    }

    /// Goes on with a session that `Session.save` wrote, here or on another device, with the same model.
    #[uniffi::method(default(work = None))]
    pub async fn restore(&self, path: String, work: Option<Arc<Work>>) -> Result<Arc<Session>> {
        let restored =
            move |model: &mut crate::worker::Model, work: &Work| Ok(model.engine.restore(path, work.token())?);
        Session::create(&self.worker, &Work::of(work), restored).await
    }

    /// Keeps the GPU from working, and returns once it has nothing more to do, some milliseconds later; for an app that
    /// goes to the background. Nothing happens where no GPU is used.
    pub fn suspend(&self, meanwhile: Meanwhile) -> Result<()> {
        self.worker.engine()?.suspend(meanwhile);
        Ok(())
    }

    /// Lets the GPU work again.
    pub fn resume(&self) -> Result<()> {
        self.worker.engine()?.resume();
        Ok(())
    }

    /// How hard it works from now on; what runs follows within a token, or a part of a prompt.
    pub fn set_effort(&self, effort: Effort) -> Result<()> {
        self.worker.engine()?.set_effort(effort);
        Ok(())
    }

    /// How hard it works.
    pub fn effort(&self) -> Result<Effort> {
        Ok(self.worker.engine()?.effort())
    }

    /// Frees what makes the next call faster and is not needed for it: the instructions that text tasks share, and what is
    /// known of labels. It takes its turn like any other call.
    pub async fn trim(&self) -> Result<()> {
        let trim = |model: &mut crate::worker::Model, _: &Work| {
            (model.tasks, model.labels) = (None, None);
            Ok(())
        };
        self.worker.ask(&Work::new(), trim)?.get().await
    }

    /// Measures reading and writing, with so many tokens, so many times.
    #[uniffi::method(default(prefill = 128, decode = 32, repeat = 3, work = None))]
    pub async fn benchmark(
        &self,
        prefill: u32,
        decode: u32,
        repeat: u32,
        work: Option<Arc<Work>>,
    ) -> Result<Benchmark> {
        let measure = move |model: &mut crate::worker::Model, work: &Work| {
            report::benchmark(&model.engine, prefill, decode, repeat, work)
        };
        self.worker.ask(&Work::of(work), measure)?.get().await
    }

    /// Cancels what runs, refuses what waits, and returns once the model's memory is free. Later calls, those of its
    /// sessions too, fail with `Closed`. It may be called again.
    pub async fn shutdown(&self) {
        self.worker.shut_down().await;
    }
}
