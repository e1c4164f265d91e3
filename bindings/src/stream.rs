//! Text on its way: what the reader pulls, and what the worker's thread puts in.

use crate::Result;
use crate::mailbox::Sender;
use crate::worker::Stream;
use kinglet::text::{Event, Task, TaskStream};
use kinglet::{Cancel, Generation, StopReason};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a generation ended.
#[uniffi::remote(Enum)]
pub enum StopReason {
    /// The model ended the text.
    EndOfText,
    /// A stop string came up.
    StopString,
    /// The limit of tokens was reached.
    MaxTokens,
    /// The session's context is full.
    ContextFull,
    /// The caller cancelled.
    Cancelled,
    /// The form that the answer had to have is complete.
    Constraint,
}

/// A device was given up, and another went on.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Switched {
    /// Tokens of the answer that were there before.
    pub at_token: u32,
    /// The kind of the device that failed, or that may not work now.
    pub from_device: String,
    /// The kind of the device that went on.
    pub to_device: String,
    /// What was wrong.
    pub why: String,
}

impl From<&kinglet::Switched> for Switched {
    fn from(switched: &kinglet::Switched) -> Self {
        Self {
            at_token: switched.at_token as u32,
            from_device: switched.from.into(),
            to_device: switched.to.into(),
            why: switched.why.clone(),
        }
    }
}

/// What a call took. Times are wall-clock, without what the reader does between events.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Stats {
    /// Tokens of the prompt, those that the session already held among them.
    pub prompt_tokens: u32,
    /// How many of them the session already held.
    pub cached_tokens: u32,
    /// Tokens generated.
    pub tokens: u32,
    /// From the start to the first token, in milliseconds; none where none came.
    pub ttft_ms: Option<f64>,
    /// Prompt tokens fed a second.
    pub prefill_tps: Option<f64>,
    /// Tokens generated a second, after the first.
    pub decode_tps: Option<f64>,
    /// The process's largest resident set so far, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// `reference`, `cpu` or `gpu`.
    pub device: String,
    /// Devices that were given up on the way.
    pub switched: Vec<Switched>,
    /// Why it ended; none where the model was not run.
    pub stop: Option<StopReason>,
}

impl From<&kinglet::Stats> for Stats {
    fn from(stats: &kinglet::Stats) -> Self {
        Self {
            prompt_tokens: stats.prompt_tokens as u32,
            cached_tokens: stats.cached_tokens as u32,
            tokens: stats.tokens as u32,
            ttft_ms: stats.ttft_ms,
            prefill_tps: stats.prefill_tps,
            decode_tps: stats.decode_tps,
            peak_rss_bytes: stats.peak_rss_bytes,
            device: stats.device.into(),
            switched: stats.switched.iter().map(Switched::from).collect(),
            stop: stats.stop,
        }
    }
}

/// What one app had to say, in a digest.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DigestGroup {
    /// The app.
    pub app: String,
    /// Its notifications.
    pub count: u32,
    /// One sentence of them.
    pub summary: String,
}

/// What a stream came to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct StreamResult {
    /// The whole text. A task's is trimmed.
    pub text: String,
    /// Parts that the text was split into to fit the context; 1 for a generation.
    pub parts: u32,
    /// One for each app, for a digest alone.
    pub groups: Vec<DigestGroup>,
    /// What it took.
    pub stats: Stats,
}

/// One step of a stream.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum StreamEvent {
    /// More text: whole characters.
    Text {
        /// To be added.
        text: String,
    },
    /// A GPU was found out: some of the text given out was wrong and goes. What is right follows.
    TakeBack {
        /// So many Unicode scalar values at the end.
        characters: u32,
    },
    /// A device was given up, and another goes on.
    Switched {
        /// What happened.
        switched: Switched,
    },
    /// Another part of a long text has begun.
    Progress {
        /// The part, from 1.
        part: u32,
        /// Parts of this round.
        parts: u32,
        /// From 0: summaries of parts are summarised in the next round.
        round: u32,
    },
    /// The end, always the last event and always there, unless the stream ends with an error.
    Done {
        /// What it came to.
        result: StreamResult,
    },
}

/// Text on its way. Pull it with `next()` until that gives nothing more.
///
/// It has begun already. Once it is 64 events ahead of its reader it waits, and the engine with it, so a stream that is
/// not read to its end has to be cancelled or dropped.
#[derive(uniffi::Object)]
pub struct TokenStream {
    stream: Stream,
    /// Engine and session live as long as somebody reads what they write.
    _keeps: Arc<dyn Send + Sync>,
}

#[uniffi::export]
impl TokenStream {
    /// The next event; nothing after `Done` or after an error. An error ends the stream.
    pub async fn next(&self) -> Result<Option<StreamEvent>> {
        self.stream.receiver.take().await.transpose()
    }

    /// Stops it, from any thread and as often as one likes. What was written until then can still be read, up to `Done`.
    pub fn cancel(&self) {
        self.stream.cancel.cancel();
    }

    /// What it took; nothing before the end and after an error.
    pub fn stats(&self) -> Option<Stats> {
        self.stream.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TokenStream {
    pub(crate) fn new(stream: Stream, keeps: Arc<dyn Send + Sync>) -> Arc<Self> {
        Arc::new(Self { stream, _keeps: keeps })
    }
}

impl Drop for TokenStream {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The writer's end of a stream.
pub(crate) struct Events {
    sender: Sender<Result<StreamEvent>>,
    cancel: Cancel,
    stats: Arc<Mutex<Option<Stats>>>,
}

impl Events {
    pub(crate) fn new(sender: Sender<Result<StreamEvent>>, cancel: Cancel, stats: Arc<Mutex<Option<Stats>>>) -> Self {
        Self { sender, cancel, stats }
    }

    /// What the reader stops it with.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn send(&self, event: StreamEvent) {
        if !self.sender.send(Ok(event), &self.cancel) {
            self.cancel.cancel();
        }
    }

    /// Writes a generation.
    pub(crate) fn generation(&self, generation: &mut Generation<'_>) -> Result<StreamResult> {
        let mut text = String::new();
        let mut switches = 0;
        while let Some(piece) = generation.next() {
            for switched in generation.switched().iter().skip(switches) {
                self.send(StreamEvent::Switched { switched: switched.into() });
            }
            switches = generation.switched().len();
            let piece = piece?;
            piece.add_to(&mut text);
            if piece.take_back > 0 {
                self.send(StreamEvent::TakeBack { characters: piece.take_back as u32 });
            }
            if !piece.text.is_empty() {
                self.send(StreamEvent::Text { text: piece.text });
            }
        }
        for switched in generation.switched().iter().skip(switches) {
            self.send(StreamEvent::Switched { switched: switched.into() });
        }
        Ok(StreamResult { text, parts: 1, groups: Vec::new(), stats: (&generation.stats()).into() })
    }

    /// Writes a task, and returns its result.
    pub(crate) fn task<T: Task>(&self, mut task: TaskStream<'_, T>) -> Result<T::Output> {
        let before = task.engine().switches().len();
        let mut told = 0;
        while let Some(event) = task.next() {
            // Asking for the facts takes longer than a token may; devices are seldom given up.
            if task.engine().switches().len() > before + told {
                told = self.switches(&task.stats(), told);
            }
            self.send(match event? {
                Event::Text(text) => StreamEvent::Text { text },
                Event::TakeBack(characters) => StreamEvent::TakeBack { characters: characters as u32 },
                Event::Progress(progress) => StreamEvent::Progress {
                    part: progress.part as u32,
                    parts: progress.parts as u32,
                    round: progress.round as u32,
                },
            });
        }
        self.switches(&task.stats(), told);
        Ok(task.finish()?)
    }

    /// Tells of the devices after the first `told`; returns how many were told of then.
    fn switches(&self, stats: &kinglet::Stats, told: usize) -> usize {
        for switched in stats.switched.iter().skip(told) {
            self.send(StreamEvent::Switched { switched: switched.into() });
        }
        stats.switched.len().max(told)
    }

    /// Writes the last event.
    pub(crate) fn end(self, result: Result<StreamResult>) {
        if let Ok(result) = &result {
            *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.stats.clone());
        }
        self.sender.end(result.map(|result| StreamEvent::Done { result }));
    }
}
