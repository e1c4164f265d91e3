//! `kinglet chat`: a conversation, one line a message.

use crate::app::{App, Outcome, Ran};
use crate::args::ModelArgs;
use crate::failure::Failure;
use crate::sampling::SamplingArgs;
use crate::stats::{self, Facts};
use crate::{output, stream};
use clap::Args;
use kinglet::chat::{Message, Role};
use kinglet::engine::Session;
use kinglet::generate::{Sampling, StopReason};
use serde::Serialize;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

/// Options of the command.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct Chat {
    #[command(flatten)]
    model: ModelArgs,

    /// What the model should be and do, said before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    #[command(flatten)]
    sampling: SamplingArgs,
}

const HELP: &str = "\
One line is one message. The conversation is remembered (and its part of the context is computed only once).
  /reset  forget the conversation      /quit  leave (Ctrl-D too)      Ctrl-C  stop an answer
Messages can come from a pipe; with --json each answer is one JSON object on a line.

Examples:
  kinglet chat --model smollm2
  kinglet chat --model smollm2 --system 'You answer in one short sentence.'
  echo 'Name three birds.' | kinglet chat --model smollm2 --json";

#[derive(Serialize)]
struct Answer<'a> {
    ids: &'a [u32],
    text: &'a str,
    stop: &'static str,
    stats: Facts,
}

struct Conversation<'a> {
    app: &'a App,
    session: Session,
    sampling: Sampling,
    messages: Vec<Message>,
    /// How many of the first messages are instructions, which stay.
    pinned: usize,
}

impl Chat {
    /// Runs the command.
    pub fn run(&self, app: &App) -> Ran {
        let engine = self.model.open(app)?;
        let instructions = self.system.iter().map(|text| Message::new(Role::System, text.as_str()));
        let messages: Vec<_> = instructions.collect();
        let mut conversation = Conversation {
            app,
            session: engine.session()?,
            sampling: self.sampling.apply(Sampling::default()),
            pinned: messages.len(),
            messages,
        };

        let terminal = io::stdin().is_terminal();
        if terminal {
            app.note("One line is one message. /reset forgets, /quit leaves, Ctrl-C stops an answer.");
        }
        let mut lines = io::stdin().lock().lines();
        loop {
            app.interrupt.idle();
            if terminal {
                eprint!("> ");
                // A prompt that cannot be shown is no reason to stop.
                let _ = io::stderr().flush();
            }
            let Some(line) = lines.next() else { return Ok(Outcome::Done) };
            let line = line.map_err(|source| Failure::read(Path::new("-"), source))?;
            match line.trim() {
                "" => {}
                "/quit" | "/exit" => return Ok(Outcome::Done),
                "/reset" => conversation.reset()?,
                message => {
                    let stop = conversation.turn(message)?;
                    if stop == Some(StopReason::Cancelled) && !terminal {
                        return Ok(Outcome::Cancelled);
                    }
                }
            }
        }
    }
}

impl Conversation<'_> {
    fn reset(&mut self) -> Result<(), Failure> {
        self.messages.truncate(self.pinned);
        self.session.reset()?;
        self.app.note("forgotten");
        Ok(())
    }

    /// One message and its answer.
    fn turn(&mut self, message: &str) -> Result<Option<StopReason>, Failure> {
        self.messages.push(Message::new(Role::User, message));
        let prompt = self.prompt()?;
        let cancel = self.app.interrupt.begin();
        let known = self.session.rewind_to_common_prefix(&prompt)?;
        let engine = self.session.engine().clone();
        let mut generation = self.session.generate(&prompt[known..], &self.sampling, &cancel)?;
        let text = stream::follow(self.app, &mut generation)?;
        let stats = generation.stats();
        if self.app.json {
            let stop = stats.stop.map_or("", StopReason::name);
            output::json(&Answer { ids: generation.ids(), text: &text, stop, stats: (&stats).into() })?;
        } else {
            self.app.note(&stats::line(&stats, &engine));
        }
        self.messages.push(Message::new(Role::Assistant, text));
        Ok(stats.stop)
    }

    /// The conversation as ids. Where it leaves no room for an answer, its oldest messages are forgotten.
    fn prompt(&mut self) -> Result<Vec<u32>, Failure> {
        loop {
            let engine = self.session.engine();
            let ids = engine.chat_template().encode(engine.tokenizer(), &self.messages, true)?;
            let room = engine.context().saturating_sub(ids.len());
            // An exchange is a message and its answer; the message that waits for an answer stays.
            if room >= engine.context() / 4 || self.messages.len() < self.pinned + 3 {
                return Ok(ids);
            }
            self.messages.drain(self.pinned..self.pinned + 2);
            self.app.note("the context is full: the oldest exchange is forgotten");
        }
    }
}
