//! The trip wire: looks at every token of an answer for what broken drivers are known to make of it.

use crate::tokenizer::Tokenizer;
use std::fmt;

/// Why an answer is doubted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A token that no text is made of.
    Reserved(u32),
    /// The same few tokens again and again.
    Repeats {
        /// How many.
        period: usize,
    },
    /// All tokens are about as likely.
    Flat,
    /// No other token is possible, again and again.
    Certain,
    /// The text ended before it began.
    Empty,
    /// No doubt, but it is time to make sure.
    Routine,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(id) => write!(f, "token {id} is no text"),
            Self::Repeats { period: 1 } => f.write_str("one token again and again"),
            Self::Repeats { period } => write!(f, "{period} tokens again and again"),
            Self::Flat => f.write_str("all tokens about as likely"),
            Self::Certain => f.write_str("no doubt about any token"),
            Self::Empty => f.write_str("no text at all"),
            Self::Routine => f.write_str("asked as a matter of routine"),
        }
    }
}

/// What a token is, as far as the wire cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Text.
    Text,
    /// It ends the text.
    End,
    /// No text is made of it: padding, places for images, names that were left over.
    Reserved,
}

impl Sort {
    /// Of an id.
    pub fn of(tokenizer: &Tokenizer, id: u32) -> Self {
        match (tokenizer.is_end(id), tokenizer.is_reserved(id)) {
            (true, _) => Self::End,
            (_, true) => Self::Reserved,
            _ => Self::Text,
        }
    }
}

/// Watches one answer.
#[derive(Default)]
pub struct Wire {
    /// The last ids.
    recent: Vec<u32>,
    tokens: usize,
    /// Doubts wait until so many tokens: each one cleared doubles the number, so that settling them takes no more than
    /// about twice the answer's own work.
    quiet_until: usize,
    /// Tokens in a row that were chosen with no lead, and with an absurd one.
    flat: usize,
    certain: usize,
}

/// The longest cycle that counts.
const PERIOD: usize = 8;
/// A token that comes so often in a row is doubted, and a cycle that fills twice as many.
const OFTEN: usize = 12;
/// How far the best logit leads where no token stands out, and where nothing else is possible. On texts of Gemma 3 270M
/// and `SmolLM2` it leads by 0.01 to 15.
const NO_LEAD: f32 = 1e-3;
const ABSURD_LEAD: f32 = 30.0;
/// Such a lead is doubted when it comes so often in a row.
const IN_A_ROW: usize = 4;

impl Wire {
    /// Looks at the next token, chosen from `logits` (one a token of the vocabulary; `-inf` where left out).
    pub fn token(&mut self, id: u32, sort: Sort, logits: &[f32]) -> Option<Doubt> {
        if self.recent.len() == 2 * OFTEN {
            self.recent.rotate_left(1);
            self.recent.pop();
        }
        self.recent.push(id);
        self.tokens += 1;
        let doubt = match sort {
            Sort::Reserved => Some(Doubt::Reserved(id)),
            Sort::End if self.tokens == 1 => Some(Doubt::Empty),
            Sort::End => None,
            Sort::Text => self.cycle(),
        };
        let doubt = doubt.or_else(|| self.sureness(lead(logits)));
        doubt.filter(|_| self.tokens >= self.quiet_until)
    }

    /// The doubt was settled in the device's favour.
    pub fn cleared(&mut self) {
        self.quiet_until = 2 * self.tokens;
    }

    fn sureness(&mut self, lead: Option<f32>) -> Option<Doubt> {
        let lead = lead?;
        self.flat = if lead < NO_LEAD { self.flat + 1 } else { 0 };
        self.certain = if lead > ABSURD_LEAD { self.certain + 1 } else { 0 };
        if self.flat >= IN_A_ROW {
            return Some(Doubt::Flat);
        }
        (self.certain >= IN_A_ROW).then_some(Doubt::Certain)
    }

    fn cycle(&self) -> Option<Doubt> {
        (1..=PERIOD).find_map(|period| {
            let long = if period == 1 { OFTEN } else { 2 * OFTEN };
            let last = &self.recent[self.recent.len().checked_sub(long)?..];
            last.iter().zip(&last[period..]).all(|(a, b)| a == b).then_some(Doubt::Repeats { period })
        })
    }
}

/// How far the best logit is ahead of the next one; nothing where all others are left out.
fn lead(logits: &[f32]) -> Option<f32> {
    let (mut best, mut next) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for block in logits.chunks(64) {
        // Compares a vector at a time; few blocks hold one of the two best so far.
        let above = |logit: &f32| *logit > next;
        if block.iter().fold(false, |any, logit| any | above(logit)) {
            for &logit in block {
                next = next.max(best.min(logit));
                best = best.max(logit);
            }
        }
    }
    (next > f32::NEG_INFINITY).then_some(best - next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: [f32; 4] = [3.0, 1.0, 2.5, f32::NEG_INFINITY];

    /// The first doubt and the token that it comes with.
    fn watch(ids: impl IntoIterator<Item = u32>, row: &[f32]) -> Option<(usize, Doubt)> {
        let mut wire = Wire::default();
        ids.into_iter().enumerate().find_map(|(at, id)| Some((at, wire.token(id, Sort::Text, row)?)))
    }

    #[test]
    fn what_broken_drivers_say_is_doubted() {
        assert_eq!(watch(0..500, &ROW), None);
        assert_eq!(watch((0..9).chain([5; 40]), &ROW), Some((9 + OFTEN - 1, Doubt::Repeats { period: 1 })));
        for period in 2..=PERIOD as u32 {
            let ids = (100..107).chain((0..99).map(|i| i % period));
            assert_eq!(watch(ids, &ROW), Some((7 + 2 * OFTEN - 1, Doubt::Repeats { period: period as usize })));
        }
        assert_eq!(watch((0..99).map(|i| i % (PERIOD as u32 + 1)), &ROW), None);
        assert_eq!(watch(0..9, &[1.0; 4]), Some((IN_A_ROW - 1, Doubt::Flat)));
        assert_eq!(watch(0..9, &[0.0, 31.0, 0.0]), Some((IN_A_ROW - 1, Doubt::Certain)));
        // All others were left out: nothing can be said.
        assert_eq!(watch(0..9, &[f32::NEG_INFINITY, 0.0]), None);
        assert_eq!(Wire::default().token(7, Sort::Reserved, &ROW), Some(Doubt::Reserved(7)));
        assert_eq!(Wire::default().token(7, Sort::End, &ROW), Some(Doubt::Empty));
    }

    #[test]
    fn a_doubt_that_was_cleared_comes_again_later() {
        let mut wire = Wire::default();
        let mut at = Vec::new();
        for token in 1..=200 {
            if wire.token(3, Sort::Text, &ROW).is_some() {
                at.push(token);
                wire.cleared();
            }
        }
        assert_eq!(at, [12, 24, 48, 96, 192]);
    }

    #[test]
    fn the_lead_is_that_over_the_next() {
        let mut row: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        (row[640], row[999]) = (7.0, 5.5);
        assert_eq!(lead(&row), Some(1.5));
        row.swap(640, 3);
        assert_eq!(lead(&row), Some(1.5));
        assert_eq!(lead(&[2.0, 2.0]), Some(0.0));
        assert_eq!(lead(&[]), None);
    }
}
