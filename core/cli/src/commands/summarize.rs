//! `kinglet summarize`: a text, or many notifications, in a few words.

use super::texts::{Outcomes, TextArgs, follow};
use crate::app::{App, Ran};
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use kinglet::text::{self, Digest, Length, Notification, Style, Summary};
use kinglet::{Sampling, Stats};

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Summarize {
    /// What the summary looks like
    #[arg(long, value_enum, default_value_t)]
    style: StyleArg,

    /// How long at most: `40` or `40w` words, `3s` sentences (lines for bullets); by default what the style says
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    length: Option<Length>,

    /// The text is a JSON array of notifications, each with `app`, `title`, `text`, `time`: one sentence an app
    #[arg(long, conflicts_with_all = ["style", "length"])]
    notifications: bool,

    #[command(flatten)]
    texts: TextArgs,
}

const HELP: &str = "\
A text longer than the context is split at \
sentence ends, the parts are summarised, and then their summaries.
With --json: `summary`, `parts` (how many the text was split into), `stop` and `stats`; several files give `results`. \
With --notifications: `groups` [{`app`, `count`, `summary`}], `summary`, `stop` and `stats`.

Examples:
  kinglet summarize --model smollm2 article.txt
  kinglet summarize --model smollm2 --style bullets --length 3s < article.txt
  kinglet summarize --model smollm2 --style headline *.txt
  kinglet summarize --model smollm2 --notifications today.json";

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum StyleArg {
    /// One sentence
    #[default]
    Sentence,
    /// A few short lines
    Bullets,
    /// A few words, as over an article
    Headline,
    /// A short paragraph
    Digest,
}

impl From<StyleArg> for Style {
    fn from(arg: StyleArg) -> Self {
        match arg {
            StyleArg::Sentence => Self::Sentence,
            StyleArg::Bullets => Self::Bullets,
            StyleArg::Headline => Self::Headline,
            StyleArg::Digest => Self::Digest,
        }
    }
}

impl Outcomes for Summary {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Outcomes for Digest {
    fn stats(&self) -> &Stats {
        &self.stats
    }
}

impl Summarize {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let sampling = self.texts.sampling.over(Sampling::faithful);
        if self.notifications {
            return self.texts.each(app, |session, text, cancel| {
                let list = notifications(text)?;
                follow(app, text::digest(session, &list, sampling.as_ref(), cancel)?)
            });
        }
        let options = text::Summarize { style: self.style.into(), length: self.length, sampling };
        self.texts.each(app, |session, text, cancel| follow(app, text::summarize(session, text, &options, cancel)?))
    }
}

fn notifications(text: &str) -> Result<Vec<Notification>, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let wanted = "not a JSON array of notifications (objects with app, title, text, time)";
        Failure::Here("json", format!("{wanted}: {error}"))
    })
}

fn length(text: &str) -> Result<Length, String> {
    let (number, length): (_, fn(usize) -> Length) = match text.strip_suffix('s') {
        Some(number) => (number, Length::Sentences),
        None => (text.strip_suffix('w').unwrap_or(text), Length::Words),
    };
    crate::args::positive(number).map(length).map_err(|what| format!("{what}; write 40 (words) or 3s (sentences)"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Length, length};

    #[test]
    fn lengths() {
        assert_eq!(length("40").unwrap(), Length::Words(40));
        assert_eq!(length("40w").unwrap(), Length::Words(40));
        assert_eq!(length("3s").unwrap(), Length::Sentences(3));
        for text in ["", "s", "0", "0s", "short"] {
            assert!(length(text).is_err(), "{text:?}");
        }
    }
}
