//! The one error type of the crate. Messages are lower-case fragments that name the thing and the way out.

use std::path::PathBuf;

/// What every fallible function here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, in groups: the file, the model in it, the text, the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // === The file ===
    /// The operating system refused a file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not a GGUF file that this crate can trust.
    #[error("malformed GGUF at byte {offset}: {what}; the file is damaged or not a GGUF v2/v3 file, get it again")]
    Gguf {
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// A tensor is stored in a format that has no decoder here.
    #[error("tensor {tensor} is stored as {format}, which is not supported; known formats: {known}")]
    UnsupportedFormat {
        /// The tensor's GGUF name.
        tensor: String,
        /// The format's name, or its number where it has none.
        format: String,
        /// The formats that would work.
        known: String,
    },

    // === The model in it ===
    /// `general.architecture` names a family that is not built in.
    #[error("architecture {name:?} is not supported; known architectures: {known}")]
    UnsupportedArchitecture {
        /// What the file says.
        name: String,
        /// The families that would work.
        known: String,
    },
    /// A metadata key that the model needs is absent, or holds something that it cannot mean.
    #[error("metadata {key}: {what}")]
    Metadata {
        /// The GGUF key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// A tensor that the architecture needs is not in the file.
    #[error(
        "tensor {name} is missing; the file is incomplete or names the wrong architecture, convert or download the model again"
    )]
    MissingTensor {
        /// The tensor's GGUF name.
        name: String,
    },
    /// A tensor has another shape than the metadata demands.
    #[error(
        "tensor {name} has shape {found:?}, but the metadata demands {expected:?} (GGUF order, columns first); convert or download the model again"
    )]
    TensorShape {
        /// The tensor's GGUF name.
        name: String,
        /// What the file holds.
        found: Vec<usize>,
        /// What the architecture needs.
        expected: Vec<usize>,
    },
    /// The vocabulary in the file cannot be used.
    #[error("tokenizer: {0}; convert or download the model again, or use another")]
    Tokenizer(String),
    /// A chat template does not parse or fails on the messages given.
    #[error("chat template: {0}; give another template, or use a raw prompt")]
    Template(String),

    // === The run ===
    /// An option, or a combination of options, makes no sense.
    #[error("option {name}: {what}")]
    Option {
        /// The option as the caller wrote it.
        name: String,
        /// What is wrong and what would be right.
        what: String,
    },
    /// A token id beyond the vocabulary.
    #[error("token id {id} is outside the vocabulary of {vocab} tokens")]
    TokenId {
        /// The id given.
        id: u32,
        /// How many tokens there are.
        vocab: usize,
    },
    /// More tokens than the context holds.
    #[error(
        "{needed} tokens do not fit the context of {context}; shorten the text or open the session with a larger context"
    )]
    ContextFull {
        /// Positions that the call would need.
        needed: usize,
        /// Positions that there are.
        context: usize,
    },
    /// The cache no longer holds the positions that a rollback needs.
    #[error(
        "cannot go back to position {to}: sliding-window layers have already dropped what it needs; start from an empty or saved state"
    )]
    Rollback {
        /// The position asked for.
        to: usize,
    },
    /// Memory that the device refused.
    #[error("{bytes} bytes for {what} were refused; use a smaller context or model")]
    OutOfMemory {
        /// How much was asked for.
        bytes: usize,
        /// For what.
        what: &'static str,
    },
    /// Logits that are NaN or infinite: the device computes wrongly, or the weights are damaged.
    #[error(
        "{device} computed a logit of {value} for token {id} at position {position}; try another device, or get the model file again"
    )]
    NonFinite {
        /// The device's kind.
        device: &'static str,
        /// Position of the token whose logits these are.
        position: usize,
        /// Which logit.
        id: usize,
        /// What it was.
        value: f32,
    },
    /// A device that says something else than the CPU does, by more than rounding.
    #[error(
        "the {device} is wrong: {why}; run on the CPU or let `auto` do so, and let `kinglet diverge` find the kernel"
    )]
    Distrusted {
        /// The device's kind.
        device: &'static str,
        /// How it was found out.
        why: String,
    },
    /// A precision plan that the model cannot bear.
    #[error("node {node} must not be stored as {stored}: {why}; leave it f32")]
    Precision {
        /// The node's name.
        node: String,
        /// What the plan says.
        stored: &'static str,
        /// What would go wrong.
        why: String,
    },
    // === The GPU ===
    /// There is no GPU that could be used.
    #[error("no GPU: {0}")]
    NoGpu(String),
    /// The GPU, or its driver, refused something.
    #[error("the GPU cannot take {what}: {why}; run on the CPU, or try another tier")]
    Gpu {
        /// What was refused.
        what: String,
        /// What the driver said.
        why: String,
    },
    /// The GPU's driver refused to compile a kernel.
    #[error("the GPU cannot take the kernel {name}: {why}; deny {kernel}, run on the CPU, or try another tier")]
    Kernel {
        /// What it is denied by.
        kernel: String,
        /// Kernel and constants.
        name: String,
        /// What the driver said.
        why: String,
    },
    /// The GPU is gone, or does not answer: the system took it away, or a driver crashed.
    #[error("the GPU was lost: {0}; open the model again, or run on the CPU")]
    GpuLost(String),
    /// The GPU may not work now, and the caller did not want to wait.
    #[error("the GPU is suspended; resume it, or run on the CPU")]
    Suspended,
    /// A saved session that cannot be gone on with.
    #[error("saved session: {what}; begin a new one")]
    Saved {
        /// What is wrong with it.
        what: String,
    },
    /// A report of two devices that cannot be replayed.
    #[error("report, {field}: {what}; make it again with `kinglet diverge --json` or `Engine::diagnose`")]
    Report {
        /// The JSON field.
        field: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file of a device's values that cannot be written, or be compared with.
    #[error("dump: {what}")]
    Dump {
        /// What is wrong, and what would be right.
        what: String,
    },
    /// An earlier run panicked and left the device in a state that nobody knows.
    #[error("an earlier run on this engine failed half-way; open the model again")]
    Poisoned,
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The model's answer could not be brought into the asked form.
    #[error("constraint: {0}")]
    Constraint(String),
}

impl Error {
    /// What happened, without the way out that ends the message: for where somebody has taken it already.
    pub(crate) fn cause(&self) -> String {
        let message = self.to_string();
        match self {
            Self::NonFinite { .. }
            | Self::Distrusted { .. }
            | Self::NoGpu(_)
            | Self::Gpu { .. }
            | Self::Kernel { .. }
            | Self::GpuLost(_)
            | Self::Suspended
            | Self::OutOfMemory { .. } => {
                message.rsplit_once("; ").map_or_else(|| message.clone(), |(cause, _)| cause.into())
            }
            _ => message,
        }
    }

    /// A stable short name of the kind, for machines (`"gguf"`, `"context_full"`, ...).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Gguf { .. } => "gguf",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::UnsupportedArchitecture { .. } => "unsupported_architecture",
            Self::Metadata { .. } => "metadata",
            Self::MissingTensor { .. } => "missing_tensor",
            Self::TensorShape { .. } => "tensor_shape",
            Self::Tokenizer(_) => "tokenizer",
            Self::Template(_) => "template",
            Self::Option { .. } => "option",
            Self::TokenId { .. } => "token_id",
            Self::ContextFull { .. } => "context_full",
            Self::Rollback { .. } => "rollback",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::NonFinite { .. } => "non_finite",
            Self::Distrusted { .. } => "distrusted",
            Self::Precision { .. } => "precision",
            Self::NoGpu(_) => "no_gpu",
            Self::Gpu { .. } => "gpu",
            Self::Kernel { .. } => "kernel",
            Self::GpuLost(_) => "gpu_lost",
            Self::Suspended => "suspended",
            Self::Saved { .. } => "saved",
            Self::Report { .. } => "report",
            Self::Dump { .. } => "dump",
            Self::Poisoned => "poisoned",
            Self::Cancelled => "cancelled",
            Self::Constraint(_) => "constraint",
        }
    }
}

/// A name or a text out of a file, for a message: quoted, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_was_left_needs_no_way_out() {
        let errors = [
            (Error::Suspended, "the GPU is suspended"),
            (Error::GpuLost("it; did".into()), "the GPU was lost: it; did"),
            (Error::Distrusted { device: "gpu", why: "NaN; once".into() }, "the gpu is wrong: NaN; once"),
            (
                Error::NonFinite { device: "gpu", position: 3, id: 7, value: f32::INFINITY },
                "gpu computed a logit of inf for token 7 at position 3",
            ),
            (Error::Gpu { what: "a queue".into(), why: "no".into() }, "the GPU cannot take a queue: no"),
            (
                Error::Kernel { kernel: "k".into(), name: "k 1".into(), why: "no".into() },
                "the GPU cannot take the kernel k 1: no",
            ),
            (Error::NoGpu("none was found; install one, or run on the CPU".into()), "no GPU: none was found"),
            (Error::OutOfMemory { bytes: 9, what: "x" }, "9 bytes for x were refused"),
        ];
        for (error, cause) in errors {
            assert_eq!(error.cause(), cause, "{error}");
        }
        // What is said elsewhere says all of it.
        assert_eq!(Error::Dump { what: "a; b".into() }.cause(), "dump: a; b");
    }
}
