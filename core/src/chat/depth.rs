//! Refuses templates that are nested so deeply that parsing them would exhaust the stack, which ends the process.
//!
//! The parser limits the nesting of brackets and blocks by itself, but goes one level down for each sign, `not`,
//! operator, filter and `elif`, too. All but the last are bounded by the length of a tag.

use crate::{Error, Result};
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Tokens of a tag. Real ones have a few dozen.
const MOST_TOKENS: usize = 500;
/// `elif`s of a template. Real ones have a few.
const MOST_BRANCHES: usize = 200;

/// Checks a template's source before it is parsed.
pub(super) fn check(source: &str, syntax: &SyntaxConfig) -> Result<()> {
    let (mut tokens, mut branches) = (0, 0);
    // What is no token ends the walk: the parser gets as far and says what is wrong.
    for (token, span) in tokenize(source, false, syntax.clone()).map_while(std::result::Result::ok) {
        match token {
            Token::BlockStart | Token::VariableStart => tokens = 0,
            Token::Ident("elif") => branches += 1,
            _ => tokens += 1,
        }
        let (count, most, what) = match (tokens > MOST_TOKENS, branches > MOST_BRANCHES) {
            (true, _) => (tokens, MOST_TOKENS, "words and signs in one tag"),
            (_, true) => (branches, MOST_BRANCHES, "branches"),
            _ => continue,
        };
        return Err(Error::Template(format!("{count} {what} (line {}) are more than {most}", span.start_line)));
    }
    Ok(())
}
