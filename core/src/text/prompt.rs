//! A task's prompt: one short instruction in the model's chat format, or a page to be continued.
//!
//! What does not depend on the text stands in front, so that its keys and values serve many texts.

use crate::chat::{Message, Role};
use crate::tokenizer::Special;
use crate::{Engine, Error, Result};

/// A prompt but for its text.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    /// What to do, one sentence or two.
    pub instruction: String,
    /// What the text is called.
    pub input: &'static str,
    /// What the answer is called; used where the model continues a page.
    pub output: &'static str,
    /// Texts and answers, for a model that continues a page.
    pub examples: &'static [(&'static str, &'static str)],
    /// Lines of an answer are kept, and only a new example ends it; otherwise the first line's end does.
    pub lines: bool,
}

/// Whether the model takes instructions: a file made from an instruct model brings its chat template along, one made
/// from a base model does not.
pub(super) fn takes_instructions(engine: &Engine) -> bool {
    matches!(engine.gguf().metadata().str("tokenizer.chat_template"), Ok(Some(_)))
}

impl Prompt {
    /// The ids of the prompt for a text, at least one, up to where the answer begins. No text becomes a control token.
    pub fn encode(&self, engine: &Engine, text: &str) -> Result<Vec<u32>> {
        let ids = self.ids(engine, text)?;
        if ids.is_empty() {
            let what = "the chat template or the vocabulary leaves nothing of an instruction";
            return Err(Error::Tokenizer(what.into()));
        }
        Ok(ids)
    }

    fn ids(&self, engine: &Engine, text: &str) -> Result<Vec<u32>> {
        let text = text.trim();
        let Self { instruction, input, output, .. } = self;
        if takes_instructions(engine) {
            let request = format!("{instruction}\n\n{input}:\n{text}");
            return engine.chat_template().encode(engine.tokenizer(), &[Message::new(Role::User, request)], true);
        }
        let mut page = format!("{instruction}\n\n");
        for (text, answer) in self.examples {
            page += &format!("{input}: {text}\n{output}: {answer}\n\n");
        }
        page += &format!("{input}: {text}\n{output}:");
        let tokenizer = engine.tokenizer();
        let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
        ids.extend(tokenizer.encode(&page, Special::Plain)?);
        Ok(ids)
    }

    /// How many ids all prompts begin with: those that the prompts of two unlike texts share.
    pub fn fixed(&self, engine: &Engine) -> Result<usize> {
        let (a, b) = (self.encode(engine, "Dear all")?, self.encode(engine, "7 (x)")?);
        Ok(a.iter().zip(&b).take_while(|(a, b)| a == b).count())
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
