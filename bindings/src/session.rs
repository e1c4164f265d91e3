//! A conversation: what it holds lives on the worker's thread, its name here.

use crate::worker::{Model, Worker};
use crate::{Result, Sampling, TokenStream, Work};
use kinglet::chat::Role;
use kinglet::tokenizer::Special;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who says something.
#[uniffi::remote(Enum)]
pub enum Role {
    /// What the app says about all of it.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What. No text in it can become a control token.
    pub content: String,
}

/// The session's place on the worker's thread. Its streams hold it as well, so that they can be read to their end.
struct Place {
    worker: Arc<Worker>,
    name: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.worker.free(self.name);
    }
}

/// One conversation. Sessions of an engine are independent of each other, take turns, and keep it alive.
#[derive(uniffi::Object)]
pub struct Session {
    place: Arc<Place>,
    held: Arc<AtomicU32>,
    context: u32,
}

#[uniffi::export]
impl Session {
    /// The answer to a conversation, all of whose messages are given each time. What the session holds of them already is
    /// not computed again.
    #[uniffi::method(default(sampling))]
    pub fn respond(&self, messages: Vec<Message>, sampling: Sampling) -> Result<Arc<TokenStream>> {
        let sampling = kinglet::Sampling::from(sampling);
        let messages: Vec<_> = messages.into_iter().map(|m| kinglet::chat::Message::new(m.role, m.content)).collect();
        self.stream(move |session| {
            let engine = session.engine();
            let ids = engine.chat_template().encode(engine.tokenizer(), &messages, true)?;
            let known = session.rewind_to_common_prefix(&ids)?;
            Ok((ids.get(known..).unwrap_or_default().to_vec(), sampling))
        })
    }

    /// Continues a text as it is, after what the session holds: no chat template, no instructions. The model's
    /// begin-of-sequence token comes first in an empty session.
    #[uniffi::method(default(sampling))]
    pub fn generate(&self, prompt: String, sampling: Sampling) -> Result<Arc<TokenStream>> {
        let sampling = kinglet::Sampling::from(sampling);
        self.stream(move |session| {
            let tokenizer = session.engine().tokenizer();
            let bos = tokenizer.bos().filter(|_| tokenizer.adds_bos() && session.ids().is_empty());
            let mut ids: Vec<u32> = bos.into_iter().collect();
            ids.extend(tokenizer.encode(&prompt, Special::Plain)?);
            Ok((ids, sampling))
        })
    }

    /// The same with token ids, which may be special ones.
    #[uniffi::method(default(sampling))]
    pub fn generate_from_tokens(&self, ids: Vec<u32>, sampling: Sampling) -> Result<Arc<TokenStream>> {
        let sampling = kinglet::Sampling::from(sampling);
        self.stream(move |_| Ok((ids, sampling)))
    }

    /// Tokens held, as of the last call that ended.
    pub fn position(&self) -> u32 {
        self.held.load(Ordering::Relaxed)
    }

    /// Positions in all, those held among them.
    pub fn context(&self) -> u32 {
        self.context
    }

    /// Forgets everything.
    pub async fn reset(&self) -> Result<()> {
        self.ask(|session| Ok(session.reset()?)).await
    }

    /// Goes back to the first `position` tokens. An error where a sliding window has dropped what that needs.
    pub async fn truncate(&self, position: u32) -> Result<()> {
        self.ask(move |session| Ok(session.truncate(position as usize)?)).await
    }

    /// Writes what the session holds to a file, whole or not at all; `Engine.restore` reads it. It is a file and not
    /// bytes, since it may be as large as the memory that a phone has left.
    pub async fn save(&self, path: String) -> Result<()> {
        self.ask(move |session| Ok(session.save(path)?)).await
    }

    /// An independent session with the same past.
    pub async fn fork(&self) -> Result<Arc<Self>> {
        let name = self.place.name;
        Self::create(&self.place.worker, &Work::new(), move |model, _| model.with(name, |session| Ok(session.fork()?)))
            .await
    }
}

impl Session {
    /// A session that `make` makes.
    pub(crate) async fn create(
        worker: &Arc<Worker>,
        work: &Arc<Work>,
        make: impl FnOnce(&mut Model, &Work) -> Result<kinglet::Session> + Send + 'static,
    ) -> Result<Arc<Self>> {
        let held = Arc::new(AtomicU32::new(0));
        let (shown, owner) = (held.clone(), worker.clone());
        let context = worker.engine()?.context() as u32;
        // The place itself is handed over: where nobody takes it any more, it goes and the session with it.
        let answer = worker.ask(work, move |model, work| {
            let session = make(model, work)?;
            Ok(Place { name: model.keep(session, shown), worker: owner })
        })?;
        Ok(Arc::new(Self { place: Arc::new(answer.get().await?), held, context }))
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut kinglet::Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let name = self.place.name;
        self.place.worker.ask(&Work::new(), move |model, _| model.with(name, work))?.get().await
    }

    /// A stream of what follows the ids that `prepare` gives.
    fn stream(
        &self,
        prepare: impl FnOnce(&mut kinglet::Session) -> Result<(Vec<u32>, kinglet::Sampling)> + Send + 'static,
    ) -> Result<Arc<TokenStream>> {
        let name = self.place.name;
        let stream = self.place.worker.stream(move |model, events| {
            model.with(name, |session| {
                let (ids, sampling) = prepare(session)?;
                let mut generation = session.generate(&ids, &sampling, events.cancel())?;
                events.generation(&mut generation)
            })
        })?;
        Ok(TokenStream::new(stream, self.place.clone()))
    }
}
