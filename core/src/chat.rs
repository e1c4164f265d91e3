//! Chat templates.

use crate::Result;
use crate::gguf::Gguf;
use crate::tokenizer::Tokenizer;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the app says about all of it.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What.
    pub content: String,
}

impl Message {
    /// A message of that role.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// A compiled template.
#[derive(Clone, Debug)]
pub struct ChatTemplate;

#[allow(missing_docs, unused_variables, clippy::unused_self)]
impl ChatTemplate {
    pub fn from_gguf(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Self> {
        todo!()
    }
    pub fn new(source: &str, tokenizer: &Tokenizer) -> Result<Self> {
        todo!()
    }
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        todo!()
    }
    pub fn encode(&self, tokenizer: &Tokenizer, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>> {
        todo!()
    }
}
