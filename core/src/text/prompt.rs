//! A task's prompt: one short instruction in the model's chat format, or a page to be continued.
//!
//! The instruction is the system's and the text alone is the user's, unless a task knows better: told both in one turn,
//! small models like to talk about the text, or of themselves. What does not depend on the text stands in front, so that
//! its keys and values serve many texts.

use crate::chat::{Message, Role};
use crate::tokenizer::Special;
use crate::{Engine, Error, Result};

/// A prompt but for its text.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    /// What to do, one sentence or two.
    pub instruction: String,
    /// Whether the instruction stands in the text's own turn even where the system could say it.
    pub one_turn: bool,
    /// What the text is called.
    pub input: &'static str,
    /// What the answer is called; used where the model continues a page.
    pub output: &'static str,
    /// How an answer in the model's chat format begins; not part of the result. Begun for it, a small model gives
    /// what was asked for instead of replying to the text.
    pub opening: &'static str,
    /// The same on a page, after the answer's name.
    pub page_opening: &'static str,
    /// Texts and answers, for a model that continues a page.
    pub examples: &'static [(&'static str, &'static str)],
    /// Whether a model that takes instructions sees the examples, too, as turns before the text's. They teach a form,
    /// but some models then repeat their words.
    pub shown: bool,
    /// Lines of an answer are kept, and only a new example ends it; otherwise the first line's end does.
    pub lines: bool,
}

/// Whether the model takes instructions: a file made from an instruct model brings its chat template along, one made
/// from a base model does not. An app that gives a template knows better.
pub(super) fn takes_instructions(engine: &Engine) -> bool {
    !engine.chat_template().is_assumed()
}

impl Prompt {
    /// Leaves the examples out where they would take more than a third of the context.
    pub fn fitting(self, engine: &Engine) -> Result<Self> {
        let fits = self.encode(engine, "")?.len() <= engine.context() / 3;
        Ok(if fits { self } else { Self { examples: &[], ..self } })
    }

    /// The ids of the prompt for a text, at least one, up to where the answer begins. No text becomes a control token.
    pub fn encode(&self, engine: &Engine, text: &str) -> Result<Vec<u32>> {
        let text = text.trim();
        let instruct = takes_instructions(engine);
        let mut ids = if instruct { self.turns(engine, text)? } else { self.page(engine, text)? };
        if ids.is_empty() {
            let what = "the chat template or the vocabulary leaves nothing of an instruction";
            return Err(Error::Tokenizer(what.into()));
        }
        if instruct {
            ids.extend(engine.tokenizer().encode(self.opening, Special::Plain)?);
        }
        Ok(ids)
    }

    /// The prompt as a page to be continued.
    fn page(&self, engine: &Engine, text: &str) -> Result<Vec<u32>> {
        let Self { instruction, input, output, .. } = self;
        let mut page = format!("{instruction}\n\n");
        // Answers of a line follow their name, others bring a line's end.
        let space = if self.page_opening.is_empty() { " " } else { "" };
        for (text, answer) in self.examples {
            page += &format!("{input}: {text}\n{output}:{space}{answer}\n\n");
        }
        page += &format!("{input}: {text}\n{output}:{}", self.page_opening);
        let tokenizer = engine.tokenizer();
        let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
        ids.extend(tokenizer.encode(&page, Special::Plain)?);
        Ok(ids)
    }

    /// The prompt in the model's chat format, up to the answer's opening.
    fn turns(&self, engine: &Engine, text: &str) -> Result<Vec<u32>> {
        let encode = |one_turn| engine.chat_template().encode(engine.tokenizer(), &self.messages(text, one_turn), true);
        match encode(self.one_turn) {
            // Some templates refuse a system's message.
            Err(Error::Template(_)) => encode(true),
            ids => ids,
        }
    }

    fn messages(&self, text: &str, one_turn: bool) -> Vec<Message> {
        let Self { instruction, input, .. } = self;
        let examples = if self.shown { self.examples } else { &[] };
        let mut messages = Vec::new();
        if !one_turn {
            messages.push(Message::new(Role::System, instruction.as_str()));
        }
        let ask = |text: &str| {
            Message::new(Role::User, if one_turn { format!("{instruction}\n\n{input}:\n{text}") } else { text.into() })
        };
        for (text, answer) in examples {
            messages.extend([ask(text), Message::new(Role::Assistant, *answer)]);
        }
        messages.push(ask(text));
        messages
    }

    /// The ids that all prompts begin with: those that the prompts of two unlike texts share.
    pub fn beginning(&self, engine: &Engine) -> Result<Vec<u32>> {
        let (mut a, b) = (self.encode(engine, "Dear all")?, self.encode(engine, "7 (x)")?);
        a.truncate(a.iter().zip(&b).take_while(|(a, b)| a == b).count());
        Ok(a)
    }

    /// Ids that a prompt takes beside those of its text, with some to spare for the seams.
    pub fn overhead(&self, engine: &Engine) -> Result<usize> {
        Ok(self.encode(engine, ".")?.len() + 4)
    }

    /// What ends an answer beside the model's own end.
    pub fn stops(&self, engine: &Engine) -> Vec<String> {
        match (takes_instructions(engine), self.lines) {
            (true, _) => Vec::new(),
            (false, true) => vec!["\n\n".into(), format!("\n{}:", self.input)],
            (false, false) => vec!["\n".into()],
        }
    }
}

/// Tokens of a text.
pub(super) fn count(engine: &Engine, text: &str) -> Result<usize> {
    Ok(engine.tokenizer().encode(text, Special::Plain)?.len())
}

/// The parts of a text of at most `limit` tokens each.
pub(super) fn parts(engine: &Engine, text: &str, limit: usize) -> Result<Vec<String>> {
    let ranges = super::split::split(text, limit, &mut |part| count(engine, part))?;
    Ok(ranges.into_iter().map(|r| text[r].to_owned()).filter(|part| !part.trim().is_empty()).collect())
}
