//! The one error type: the core's kinds with the core's words, and three kinds of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What went wrong. The message names the thing and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
#[non_exhaustive]
pub enum KingletError {
    // === The file ===
    /// The operating system refused a file.
    #[error("{0}")]
    Io(String),
    /// The bytes are no GGUF file that can be trusted.
    #[error("{0}")]
    Gguf(String),
    /// A tensor is stored in a format that has no decoder.
    #[error("{0}")]
    UnsupportedFormat(String),

    // === The model in it ===
    /// The model's family is not built in.
    #[error("{0}")]
    UnsupportedArchitecture(String),
    /// A metadata key is absent, or holds something that it cannot mean.
    #[error("{0}")]
    Metadata(String),
    /// A tensor that the architecture needs is not in the file.
    #[error("{0}")]
    MissingTensor(String),
    /// A tensor has another shape than the metadata demands.
    #[error("{0}")]
    TensorShape(String),
    /// The vocabulary in the file cannot be used.
    #[error("{0}")]
    Tokenizer(String),
    /// A chat template does not parse or refuses the messages.
    #[error("{0}")]
    Template(String),

    // === The run ===
    /// An option, or a combination of options, makes no sense.
    #[error("{0}")]
    Option(String),
    /// A token id beyond the vocabulary.
    #[error("{0}")]
    TokenId(String),
    /// More tokens than the context holds.
    #[error("{0}")]
    ContextFull(String),
    /// A sliding window has dropped what going back would need.
    #[error("{0}")]
    Rollback(String),
    /// Memory was refused.
    #[error("{0}")]
    OutOfMemory(String),
    /// A device computed something that is no number.
    #[error("{0}")]
    NonFinite(String),
    /// A device says something else than the CPU does.
    #[error("{0}")]
    Distrusted(String),
    /// A precision plan that the model cannot bear.
    #[error("{0}")]
    Precision(String),
    /// There is no GPU that could be used.
    #[error("{0}")]
    NoGpu(String),
    /// The GPU or its driver refused something.
    #[error("{0}")]
    Gpu(String),
    /// The GPU's driver refused to compile a kernel.
    #[error("{0}")]
    Kernel(String),
    /// The GPU is gone.
    #[error("{0}")]
    GpuLost(String),
    /// The GPU may not work now.
    #[error("{0}")]
    Suspended(String),
    /// A saved session that cannot be gone on with.
    #[error("{0}")]
    Saved(String),
    /// A report that cannot be replayed.
    #[error("{0}")]
    Report(String),
    /// A file of a device's values that cannot be used.
    #[error("{0}")]
    Dump(String),
    /// An earlier run left the device in a state that nobody knows.
    #[error("{0}")]
    Poisoned(String),
    /// The caller cancelled.
    #[error("{0}")]
    Cancelled(String),
    /// The answer could not be brought into the asked form.
    #[error("{0}")]
    Constraint(String),

    // === The bindings' own ===
    /// Too many calls wait for the engine.
    #[error("{0}")]
    Busy(String),
    /// The engine was shut down.
    #[error("{0}")]
    Closed(String),
    /// A fault in Kinglet.
    #[error("{0}")]
    Internal(String),
}

impl From<kinglet::Error> for KingletError {
    fn from(error: kinglet::Error) -> Self {
        use kinglet::Error as E;
        let kind = match &error {
            E::Io { .. } => Self::Io,
            E::Gguf { .. } => Self::Gguf,
            E::UnsupportedFormat { .. } => Self::UnsupportedFormat,
            E::UnsupportedArchitecture { .. } => Self::UnsupportedArchitecture,
            E::Metadata { .. } => Self::Metadata,
            E::MissingTensor { .. } => Self::MissingTensor,
            E::TensorShape { .. } => Self::TensorShape,
            E::Tokenizer(_) => Self::Tokenizer,
            E::Template(_) => Self::Template,
            E::Option { .. } => Self::Option,
            E::TokenId { .. } => Self::TokenId,
            E::ContextFull { .. } => Self::ContextFull,
            E::Rollback { .. } => Self::Rollback,
            E::OutOfMemory { .. } => Self::OutOfMemory,
            E::NonFinite { .. } => Self::NonFinite,
            E::Distrusted { .. } => Self::Distrusted,
            E::Precision { .. } => Self::Precision,
            E::NoGpu(_) => Self::NoGpu,
            E::Gpu { .. } => Self::Gpu,
            E::Kernel { .. } => Self::Kernel,
            E::GpuLost(_) => Self::GpuLost,
            E::Suspended => Self::Suspended,
            E::Saved { .. } => Self::Saved,
            E::Report { .. } => Self::Report,
            E::Dump { .. } => Self::Dump,
            E::Poisoned => Self::Poisoned,
            E::Cancelled => Self::Cancelled,
            E::Constraint(_) => Self::Constraint,
            _ => Self::Internal,
        };
        kind(error.to_string())
    }
}

impl KingletError {
    pub(crate) fn option(name: &str, what: impl Into<String>) -> Self {
        kinglet::Error::Option { name: name.into(), what: what.into() }.into()
    }

    pub(crate) fn closed() -> Self {
        Self::Closed("the engine was shut down; load the model again".into())
    }

    pub(crate) fn internal(what: &str) -> Self {
        Self::Internal(format!("Kinglet failed inside: {what}; load the model again, and report this"))
    }
}

/// Runs something in which a fault of Kinglet's must not end the app.
pub(crate) fn caught<T>(work: impl FnOnce() -> crate::Result<T>) -> crate::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(KingletError::internal(words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// `TokenId("...")` as `token_id`.
    fn kind(error: &KingletError) -> String {
        let shown = format!("{error:?}");
        let name = shown.split('(').next().unwrap();
        let snake = name.chars().flat_map(|c| {
            let (lead, c) = if c.is_uppercase() { (Some('_'), c.to_ascii_lowercase()) } else { (None, c) };
            lead.into_iter().chain([c])
        });
        snake.collect::<String>().trim_start_matches('_').to_owned()
    }

    #[test]
    fn kinds_and_words_are_the_cores() {
        use kinglet::Error as E;
        let (s, what) = (|| "x".to_owned(), || "y".to_owned());
        let all = [
            E::Io { path: "p".into(), source: std::io::Error::other("o") },
            E::Gguf { offset: 3, what: what() },
            E::UnsupportedFormat { tensor: s(), format: s(), known: s() },
            E::UnsupportedArchitecture { name: s(), known: s() },
            E::Metadata { key: s(), what: what() },
            E::MissingTensor { name: s() },
            E::TensorShape { name: s(), found: vec![1], expected: vec![2] },
            E::Tokenizer(s()),
            E::Template(s()),
            E::Option { name: s(), what: what() },
            E::TokenId { id: 9, vocab: 8 },
            E::ContextFull { needed: 9, context: 8 },
            E::Rollback { to: 1 },
            E::OutOfMemory { bytes: 1, what: "w" },
            E::NonFinite { device: "gpu", position: 0, id: 0, value: f32::NAN },
            E::Distrusted { device: "gpu", why: s() },
            E::Precision { node: s(), stored: "f16", why: s() },
            E::NoGpu(s()),
            E::Gpu { what: what(), why: s() },
            E::Kernel { kernel: s(), name: s(), why: s() },
            E::GpuLost(s()),
            E::Suspended,
            E::Saved { what: what() },
            E::Report { field: s(), what: what() },
            E::Dump { what: what() },
            E::Poisoned,
            E::Cancelled,
            E::Constraint(s()),
        ];
        for error in all {
            let (name, text) = (error.kind(), error.to_string());
            let error = KingletError::from(error);
            assert_eq!((kind(&error).as_str(), error.to_string()), (name, text));
        }
    }

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let failed = |work: fn() -> u8| caught(|| Ok(work())).unwrap_err().to_string();
        assert!(failed(|| panic!("broken {}", 1)).contains("broken 1"));
        assert!(failed(|| panic!("broken")).contains("inside: broken; load"));
        assert!(failed(|| std::panic::panic_any(7)).contains("without words"));
        assert_eq!(caught(|| Ok(5)), Ok(5));
    }
}
