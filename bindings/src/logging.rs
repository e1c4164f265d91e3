//! The core's log, where an app asks for it.

use crate::mailbox::{Receiver, Sender, mailbox};
use log::LevelFilter;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that wait for a slow reader; older ones are lost.
const WAITING: usize = 256;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What is doubtful as well.
    Warn,
    /// Choices, such as that of a device, as well.
    Info,
    /// What a developer of Kinglet looks at.
    Debug,
    /// Everything.
    Trace,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the core that says it.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// The core's log for an app that has a log of its own: as long as this exists, lines come here and not to standard
/// error. Of several, the last one made has them. On Android they go to its log, and none comes here.
#[derive(uniffi::Object)]
pub struct LogLines {
    lines: Receiver<LogLine>,
}

#[uniffi::export]
impl LogLines {
    /// From now on. `init_logging` says how much is logged.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        let (sender, lines) = mailbox(WAITING);
        let sender = (!cfg!(target_os = "android")).then_some(sender);
        let sender = sender.map(Arc::new);
        // The one before goes without the lock, for it tells its reader.
        drop(std::mem::replace(&mut *APP.lock().unwrap_or_else(PoisonError::into_inner), sender));
        Arc::new(Self { lines })
    }

    /// The next line; nothing once another one has them.
    pub async fn next(&self) -> Option<LogLine> {
        self.lines.take().await
    }
}

/// Where an app takes lines from.
static APP: Mutex<Option<Arc<Sender<LogLine>>>> = Mutex::new(None);

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::Off,
            LogLevel::Error => Self::Error,
            LogLevel::Warn => Self::Warn,
            LogLevel::Info => Self::Info,
            LogLevel::Debug => Self::Debug,
            LogLevel::Trace => Self::Trace,
        }
    }
}

/// Logs from now on, to Android's log under `Kinglet`, elsewhere to `LogLines` or standard error. May be called again with
/// another level. Nothing is logged before.
#[uniffi::export]
pub fn init_logging(level: LogLevel) {
    #[cfg(target_os = "android")]
    android_logger::init_once(android_logger::Config::default().with_tag("Kinglet").with_max_level(LevelFilter::Trace));
    // An app in Rust may have a logger of its own, which then stays.
    #[cfg(not(target_os = "android"))]
    let _ = log::set_logger(&Plain);
    log::set_max_level(level.into());
}

#[cfg(not(target_os = "android"))]
struct Plain;

#[cfg(not(target_os = "android"))]
impl log::Log for Plain {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // wgpu tells every call.
        metadata.target().starts_with("kinglet") || metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        };
        let line = LogLine { level, target: record.target().to_owned(), text: record.args().to_string() };
        // Not under the lock: whoever is woken may log.
        let app = APP.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !app.is_some_and(|app| app.offer(line)) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}
