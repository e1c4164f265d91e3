//! The core's log, where an app asks for it.

use log::LevelFilter;

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

/// Logs from now on, to Android's log under `Kinglet`, elsewhere to standard error. May be called again with another
/// level. Nothing is logged before.
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
        if self.enabled(record.metadata()) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}
