//! What a command can fail with, and how that becomes an exit status.

use std::io;
use std::path::Path;

/// Why a command gave up.
#[derive(Debug)]
pub enum Failure {
    /// The library refused.
    Kinglet(kinglet::Error),
    /// This program refused: a stable short name of the kind, and the message.
    Here(&'static str, String),
    /// Standard output could not be written.
    Output(io::Error),
}

impl Failure {
    /// A file or standard input that cannot be read.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Kinglet(kinglet::Error::Io { path: path.to_path_buf(), source })
    }

    /// A file that cannot be written.
    pub fn write(path: &Path, source: &io::Error) -> Self {
        Self::Here("io", format!("cannot write {}: {source}", path.display()))
    }

    /// An option that makes no sense with the data at hand.
    pub fn option(name: &str, what: impl Into<String>) -> Self {
        Self::Kinglet(kinglet::Error::Option { name: name.into(), what: what.into() })
    }

    /// A stable short name, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kinglet(error) => error.kind(),
            Self::Here(kind, _) => kind,
            Self::Output(_) => "output",
        }
    }

    /// The reader of our output went away (`| head`), which is no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Somebody pressed Ctrl-C before there was anything to show.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Kinglet(kinglet::Error::Cancelled))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kinglet(error) => error.fmt(f),
            Self::Here(_, message) => f.write_str(message),
            Self::Output(error) => write!(f, "cannot write to standard output: {error}"),
        }
    }
}

impl From<kinglet::Error> for Failure {
    fn from(error: kinglet::Error) -> Self {
        Self::Kinglet(error)
    }
}
