//! Text as it comes, where some of it may have to be taken back: a GPU that is found out has said something wrong.

use crate::failure::Failure;
use crate::output;
use console::{Term, measure_text_width};

/// An answer on its way to standard output.
pub struct Screen {
    /// What was printed, or is held.
    text: String,
    /// A pipe does not give back what it got, so it gets the answer when it is whole.
    hold: bool,
    term: Term,
}

impl Screen {
    /// `may_change`: whether text may be taken back.
    pub fn new(may_change: bool) -> Self {
        let term = Term::stdout();
        Self { text: String::new(), hold: may_change && !term.is_term(), term }
    }

    /// Adds text.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.text.push_str(text);
        if self.hold { Ok(()) } else { output::text(text) }
    }

    /// Drops so many characters at the end.
    pub fn take_back(&mut self, characters: usize) -> Result<(), Failure> {
        if characters == 0 {
            return Ok(());
        }
        let rows = rows(&self.text, usize::from(self.term.size().1));
        let keep = self.text.chars().count().saturating_sub(characters);
        self.text = self.text.chars().take(keep).collect();
        if self.hold {
            return Ok(());
        }
        let cleared = self.term.clear_line().and_then(|()| self.term.clear_last_lines(rows - 1));
        cleared.map_err(Failure::Output)?;
        output::text(&self.text)
    }

    /// Ends the answer's last line.
    pub fn end(self) -> Result<(), Failure> {
        if self.hold {
            output::text(&self.text)?;
        }
        if self.text.is_empty() || self.text.ends_with('\n') { Ok(()) } else { output::line("") }
    }
}

/// The rows of a terminal that a text takes which begins on a new one.
fn rows(text: &str, columns: usize) -> usize {
    text.split('\n').map(|line| measure_text_width(line).div_ceil(columns.max(1)).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_text_takes_as_many_rows_as_it_wraps_into() {
        assert_eq!([rows("", 4), rows("abcd", 4), rows("abcde", 4), rows("ab\n", 4)], [1, 1, 2, 2]);
        assert_eq!(rows("你好吗\nabcdefghi", 4), 2 + 3);
    }
}
