//! Chat templates: messages become the text, or the token ids, that a model was trained to answer.
//!
//! The template is the file's own (Jinja), the family's where the file has none, or the app's. It knows nothing of
//! sessions: what it returns is the whole conversation, every time.

mod depth;

use crate::gguf::Gguf;
use crate::tokenizer::Tokenizer;
use crate::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value, context};
use std::hash::{BuildHasher, RandomState};

/// What a template may use up: about so many instructions, or 64 times as many bytes. A conversation of a megabyte takes
/// a tenth of it.
const FUEL: u64 = 1_000_000;
/// Templates longer than this are refused; real ones stay below 100 kB.
const LONGEST_SOURCE: usize = 1 << 20;
/// Characters of an error's detail, which may quote the template.
const LONGEST_DETAIL: usize = 300;

/// Gemma's turns. There is no system role: its text opens the first turn of the user.
const GEMMA: &str = "{{ bos_token }}{% set ns = namespace(system='') %}{% for m in messages %}\
{% if m.role == 'system' %}{% set ns.system = ns.system ~ (m.content | trim) ~ '\\n\\n' %}{% else %}\
{{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else 'user') ~ '\\n' }}\
{% if m.role == 'user' %}{{ ns.system }}{% set ns.system = '' %}{% endif %}\
{{ (m.content | trim) ~ '<end_of_turn>\\n' }}{% endif %}{% endfor %}\
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";

/// `ChatML`, as Qwen and many others use it.
const CHATML: &str = "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// No special tokens: the system text, then lines that begin with `User:` and `Assistant:`, an empty line between.
const PLAIN: &str = "{{ bos_token }}{% for m in messages %}\
{% if m.role != 'system' %}{{ m.role | title ~ ': ' }}{% endif %}{{ m.content ~ '\\n\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

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

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
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
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    assumed: bool,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// The template of a file (`tokenizer.chat_template`). Where it has none: Gemma's turns for gemma3, `ChatML` for
    /// qwen2, qwen3 and for llama with `<|im_start|>` in its vocabulary, else lines that begin with `User:` and
    /// `Assistant:`.
    ///
    /// # Errors
    /// [`Error::Template`] where the file's template does not parse.
    pub fn from_gguf(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Self> {
        let metadata = gguf.metadata();
        let source = match metadata.str("tokenizer.chat_template")? {
            Some(source) => return Self::new(source, tokenizer),
            None => match metadata.str("general.architecture")?.unwrap_or_default() {
                "gemma3" => GEMMA,
                "qwen2" | "qwen3" => CHATML,
                "llama" if tokenizer.find("<|im_start|>").is_some() => CHATML,
                _ => PLAIN,
            },
        };
        Ok(Self { assumed: true, ..Self::new(source, tokenizer)? })
    }

    /// An app's own template, in the Jinja that Hugging Face's `chat_template` uses: `messages` (each with `role` and
    /// `content`), `add_generation_prompt`, `bos_token`, `eos_token`, `raise_exception(text)`, `strftime_now(format)`
    /// (in UTC), Python's string methods.
    ///
    /// # Errors
    /// [`Error::Template`] where it does not parse.
    pub fn new(source: &str, tokenizer: &Tokenizer) -> Result<Self> {
        if source.len() > LONGEST_SOURCE {
            return Err(Error::Template(format!("it is {} bytes long, more than {LONGEST_SOURCE}", source.len())));
        }
        let mut environment = Environment::new();
        // As Hugging Face renders: tags take their line's indentation and end with them; nothing is escaped.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        let syntax = syntax.map_err(|error| failure(&error))?;
        depth::check(source, &syntax)?;
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |text: String| -> std::result::Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, text))
        });
        environment.add_function("strftime_now", |format: String| {
            jiff::fmt::strtime::format(&format, jiff::Timestamp::now())
                .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string()))
        });
        environment.add_template_owned("chat", source.to_owned()).map_err(|error| failure(&error))?;
        let text = |id: Option<u32>| id.map_or(Ok(String::new()), |id| tokenizer.decode_text(&[id]));
        let (bos, eos) = (text(tokenizer.bos())?, text(tokenizer.eos())?);
        Ok(Self { environment, source: source.to_owned(), assumed: false, bos, eos })
    }

    /// Whether neither the file nor the app gave this template, so that it is only the family's usual one. The model
    /// may then have never been tuned to converse.
    pub fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The conversation as text; with `add_generation_prompt` it ends where the model's answer begins.
    ///
    /// To show or to log: parsed as trusted text, a message that holds `<|im_end|>` would end its own turn. For ids
    /// use [`encode`](Self::encode).
    ///
    /// # Errors
    /// [`Error::Template`] where the template refuses the messages (roles that do not alternate, say) or takes too many
    /// steps.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        self.render_with(messages, add_generation_prompt, std::borrow::ToOwned::to_owned)
    }

    /// The conversation as ids, ready to be fed: special tokens come from the template only, whatever the messages
    /// hold, and the begin-of-sequence token is in front exactly once where the model wants it.
    ///
    /// Where the messages hold no special tokens, these are the ids of the rendered text with special tokens parsed.
    ///
    /// # Errors
    /// As [`render`](Self::render) and [`Tokenizer::encode`].
    pub fn encode(&self, tokenizer: &Tokenizer, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>> {
        let mark = unused_mark(&messages.iter().map(|m| m.content.as_str()).chain([self.source.as_str()]));
        let text = self.render_with(messages, add_generation_prompt, |content| {
            // Marks within special tokens break them; marks around keep the template's text from completing one.
            // Space stays outside, so that templates that trim still do.
            let core = content.trim();
            let (before, after) = match content.find(core) {
                Some(start) => (&content[..start], &content[start + core.len()..]),
                None => ("", ""),
            };
            match core {
                "" => content.to_owned(),
                _ => format!("{before}{mark}{}{mark}{after}", tokenizer.mark_specials(core, &mark)),
            }
        })?;
        let mut ids = Vec::new();
        tokenizer.encode_marked(&text, Some(&mark), &mut ids)?;
        if let Some(bos) = tokenizer.bos().filter(|bos| tokenizer.adds_bos() && ids.first() != Some(bos)) {
            ids.insert(0, bos);
        }
        Ok(ids)
    }

    fn render_with(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        content: impl Fn(&str) -> String,
    ) -> Result<String> {
        let messages: Vec<Value> =
            messages.iter().map(|m| context! { role => m.role.name(), content => content(&m.content) }).collect();
        self.environment
            .get_template("chat")
            .and_then(|template| {
                template.render(context! {
                    messages,
                    add_generation_prompt,
                    bos_token => &self.bos,
                    eos_token => &self.eos,
                    tools => (),
                    documents => (),
                })
            })
            .map_err(|error| failure(&error))
    }
}

/// A short text of private-use characters that none of the texts holds, other each time. It has no case and is not
/// white space, so that a template can neither change nor trim it.
fn unused_mark<'a>(texts: &(impl Iterator<Item = &'a str> + Clone)) -> String {
    let random = RandomState::new();
    let mut counter = 0_u64;
    loop {
        let bits = random.hash_one(counter);
        let mark: String = bits.to_le_bytes().iter().filter_map(|&b| char::from_u32(0xf_0000 + u32::from(b))).collect();
        if !texts.clone().any(|text| text.contains(&mark)) {
            return mark;
        }
        counter += 1;
    }
}

/// The template's error, with the line where there is one.
fn failure(error: &minijinja::Error) -> Error {
    match (error.detail(), error.line()) {
        (Some(detail), Some(line)) => {
            let detail: String = detail.chars().take(LONGEST_DETAIL).collect();
            Error::Template(format!("{detail} (line {line})"))
        }
        _ => Error::Template(error.to_string().chars().take(LONGEST_DETAIL).collect()),
    }
}
