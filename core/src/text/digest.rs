//! A digest of notifications: one line an app.

use super::prefix::Prefix;
use super::prompt::{Prompt, parts};
use super::stream::{Progress, Step, Task, TaskStream};
use super::summarize::{answering, is_short, limit, main_points};
use crate::generate::Sampling;
use crate::{Cancel, Engine, Result, Session, Stats};
use serde::{Deserialize, Serialize};

/// A notification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// The app's name.
    pub app: String,
    /// Who or what it is from.
    pub title: String,
    /// What it says.
    pub text: String,
    /// When, in any form; sorted as text within an app, so give all in one form that sorts (`09:41`, RFC 3339).
    pub time: String,
}

/// What one app had to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The app.
    pub app: String,
    /// Its notifications.
    pub count: usize,
    /// One sentence of them.
    pub summary: String,
}

/// A digest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Digest {
    /// One an app, in the order of the apps' first appearance.
    pub groups: Vec<Group>,
    /// The same as lines of text.
    pub summary: String,
    /// What it took.
    pub stats: Stats,
}

/// A digest on its way.
pub type DigestStream<'s> = TaskStream<'s, Plan>;

/// Groups notifications by app, the apps in the order of their first appearance, and puts each group into a sentence.
///
/// An app whose notifications are together no longer than such a sentence is not given to the model: they stand as
/// they are. A notification that is its app's only one is summarised as a text is. Of a group that does not fit the context
/// the model sees the newest that do. Notifications without text and title are left out. The instructions are computed once
/// for all groups.
///
/// # Errors
/// [`Error::Option`](crate::Error::Option) where the context is too small.
pub fn digest<'s>(
    session: &'s mut Session,
    notifications: &[Notification],
    sampling: Option<&Sampling>,
    cancel: &Cancel,
) -> Result<DigestStream<'s>> {
    let engine = session.engine();
    let several = Prompt {
        instruction: "Give the main point of these phone notifications in one very short sentence.".into(),
        input: "Notifications",
        output: "Summary",
        examples: EXAMPLES,
        ..Prompt::default()
    };
    let sampling = answering(sampling, Sampling::faithful, 48.min(engine.context() / 4).max(8));
    let several = Asked::new(engine, several, &sampling)?;
    let one = Asked::new(engine, main_points(), &sampling)?;
    let todo = group(notifications).into_iter().map(|(app, lines)| App::new(engine, app, lines));
    let todo = todo.collect::<Result<Vec<_>>>()?;
    // Of ways that nobody is asked in, no beginning need be kept.
    let asked = |one: bool| todo.iter().filter(move |app| app.short.is_none() && app.is_one() == one).count();
    let mut beginnings = Vec::new();
    for (way, times) in [(&several, asked(false)), (&one, asked(true))] {
        if times > 0 {
            beginnings.push(way.prompt.beginning(engine)?);
        }
    }
    let prefix = Prefix::new(engine, beginnings, asked(false) + asked(true) > 1);
    let plan = Plan { several, one, todo, at: 0, groups: Vec::new() };
    Ok(TaskStream::new(session, plan, prefix, cancel))
}

/// What is left to be put into sentences.
#[derive(Debug)]
pub struct Plan {
    /// How a sentence is got of an app's notifications, and of its only one: asked for the main point of one long
    /// message as if it were several, small models speak about it instead.
    several: Asked,
    one: Asked,
    todo: Vec<App>,
    at: usize,
    groups: Vec<Group>,
}

/// What is known of an app.
#[derive(Debug)]
struct App {
    name: String,
    /// Of its notifications, oldest first.
    lines: Vec<String>,
    /// The lines as they stand, where they need no model.
    short: Option<String>,
}

impl App {
    fn new(engine: &Engine, name: String, lines: Vec<String>) -> Result<Self> {
        let short = lines.join("; ");
        let short = is_short(engine, &short)?.then_some(short);
        Ok(Self { name, lines, short })
    }

    fn is_one(&self) -> bool {
        self.lines.len() == 1
    }
}

/// A way to ask.
#[derive(Debug)]
struct Asked {
    prompt: Prompt,
    sampling: Sampling,
    /// Tokens of text that it has room for.
    limit: usize,
}

impl Asked {
    fn new(engine: &Engine, prompt: Prompt, sampling: &Sampling) -> Result<Self> {
        let prompt = prompt.fitting(engine)?;
        let mut sampling = sampling.clone();
        sampling.stop.extend(prompt.stops(engine));
        sampling.stop.push("\n".into());
        let limit = limit(engine, &prompt, sampling.max_tokens)?;
        Ok(Self { prompt, sampling, limit })
    }
}

impl Task for Plan {
    type Output = Digest;

    fn next(&mut self, engine: &Engine) -> Result<Option<Step>> {
        let Some(app) = self.todo.get(self.at) else { return Ok(None) };
        let newline = if self.at == 0 { "" } else { "\n" };
        let head = format!("{newline}{} ({}): ", app.name, app.lines.len());
        self.at += 1;
        let asked = if app.is_one() { &self.one } else { &self.several };
        let (lead, ids) = if let Some(short) = &app.short {
            (format!("{head}{short}"), Vec::new())
        } else {
            let text = parts(engine, &app.lines.join("\n"), asked.limit)?.pop().unwrap_or_default();
            (head, asked.prompt.encode(engine, &text)?)
        };
        let progress = Progress { part: self.at, parts: self.todo.len(), round: 0 };
        Ok(Some(Step { progress, lead, ids, goes_on: false, sampling: asked.sampling.clone(), show: true }))
    }

    fn done(&mut self, text: String) {
        let Some(app) = self.at.checked_sub(1).and_then(|at| self.todo.get(at)) else { return };
        let summary = app.short.clone().unwrap_or(text);
        self.groups.push(Group { app: app.name.clone(), count: app.lines.len(), summary });
    }

    fn output(self, text: String, stats: Stats) -> Digest {
        Digest { groups: self.groups, summary: text, stats }
    }
}

/// Lines by app.
fn group(notifications: &[Notification]) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<&Notification>)> = Vec::new();
    for n in notifications.iter().filter(|n| !(n.title.trim().is_empty() && n.text.trim().is_empty())) {
        match groups.iter_mut().find(|(app, _)| *app == n.app) {
            Some((_, group)) => group.push(n),
            None => groups.push((n.app.clone(), vec![n])),
        }
    }
    let line = |n: &Notification| {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match (flat(&n.title), flat(&n.text)) {
            (title, text) if text.is_empty() => title,
            (title, text) if title.is_empty() => text,
            (title, text) => format!("{title}: {text}"),
        }
    };
    groups
        .into_iter()
        .map(|(app, mut group)| {
            group.sort_by(|a, b| a.time.cmp(&b.time));
            (app, group.into_iter().map(line).collect())
        })
        .collect()
}

const EXAMPLES: &[(&str, &str)] = &[
    (
        "Tom: Are we still on for dinner?\nTom: I booked a table for seven\nLea: Can I bring Max?",
        "Tom booked dinner for seven, and Lea asks whether she may bring Max.",
    ),
    (
        "Order shipped: Your headphones are on their way\nDelivery today: Your parcel arrives between 2 and 4 pm",
        "Your headphones have shipped and a parcel arrives today between 2 and 4 pm.",
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn apps_keep_their_order_and_times_sort_within() {
        let n = |app: &str, text: &str, time: &str| Notification {
            app: app.into(),
            title: String::new(),
            text: text.into(),
            time: time.into(),
        };
        let groups = group(&[
            n("Mail", "b\nb", "10:00"),
            n("Chat", "c", "08:00"),
            n("Mail", "a", "09:00"),
            n("Mail", " ", "11:00"),
        ]);
        assert_eq!(
            groups,
            vec![("Mail".into(), vec!["a".to_string(), "b b".into()]), ("Chat".into(), vec!["c".to_string()])]
        );
    }
}
