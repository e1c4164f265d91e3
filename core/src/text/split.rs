//! Cuts a text into parts of at most so many tokens, at the best places there are: between paragraphs, else between
//! sentences, else between words, else between characters.
//!
//! Knows nothing of tokenizers but that one counts.

use crate::Result;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Fewer tokens a part than this are not asked for: one character may take several.
pub const LEAST: usize = 16;

/// Ranges of bytes of `text`, in order and together all of it, each of at most `limit` tokens as `count` counts them.
///
/// `limit` is raised to [`LEAST`]. A part is longer only where a single character is. Empty text has no parts.
///
/// # Errors
/// Those of `count`.
pub fn split(text: &str, limit: usize, count: &mut dyn FnMut(&str) -> Result<usize>) -> Result<Vec<Range<usize>>> {
    let limit = limit.max(LEAST);
    let mut units = Vec::new();
    cut(text, 0, limit, Level::Whole, count, &mut units)?;
    let mut parts = Vec::new();
    for group in pack(&units, limit) {
        fit(text, group, limit, count, &mut parts)?;
    }
    Ok(parts)
}

/// What is between two cuts.
#[derive(Clone, Copy)]
enum Level {
    Whole,
    Paragraph,
    Sentence,
    Word,
    Character,
}

/// Pieces of `text` that fit, each as large as its level allows, with their tokens.
fn cut(
    text: &str,
    offset: usize,
    limit: usize,
    level: Level,
    count: &mut dyn FnMut(&str) -> Result<usize>,
    units: &mut Vec<(Range<usize>, usize)>,
) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    // Counting a very long text only to learn that it is too long would count everything twice.
    let hopeless = text.len() > limit.saturating_mul(64);
    if !hopeless {
        let tokens = count(text)?;
        if tokens <= limit {
            units.push((offset..offset + text.len(), tokens));
            return Ok(());
        }
    }
    let (next, pieces): (Level, Vec<&str>) = match level {
        Level::Whole => (Level::Paragraph, text.split_inclusive("\n\n").collect()),
        Level::Paragraph => (Level::Sentence, text.split_sentence_bounds().collect()),
        Level::Sentence => (Level::Word, text.split_word_bounds().collect()),
        Level::Word | Level::Character => {
            match text.char_indices().map(|(at, _)| at).find(|&at| at >= text.len() / 2) {
                Some(middle) if middle > 0 => (Level::Character, vec![&text[..middle], &text[middle..]]),
                // Two characters, the second starting before the middle byte, or a single one.
                _ => {
                    if let Some((second, _)) = text.char_indices().nth(1) {
                        (Level::Character, vec![&text[..second], &text[second..]])
                    } else {
                        units.push((offset..offset + text.len(), limit));
                        return Ok(());
                    }
                }
            }
        }
    };
    let mut at = offset;
    for piece in pieces {
        cut(piece, at, limit, next, count, units)?;
        at += piece.len();
    }
    Ok(())
}

/// Neighbouring units together as long as they fit, the parts about equally long.
fn pack(units: &[(Range<usize>, usize)], limit: usize) -> Vec<Range<usize>> {
    let total: usize = units.iter().map(|(_, tokens)| tokens).sum();
    let target = total.div_ceil(total.div_ceil(limit).max(1));
    let mut parts: Vec<(Range<usize>, usize)> = Vec::new();
    for (range, tokens) in units {
        match parts.last_mut() {
            Some((part, sum)) if *sum < target && *sum + tokens <= limit => {
                part.end = range.end;
                *sum += tokens;
            }
            _ => parts.push((range.clone(), *tokens)),
        }
    }
    parts.into_iter().map(|(range, _)| range).collect()
}

/// Tokens of a whole are seldom more than those of its pieces together; where they are, halves it.
fn fit(
    text: &str,
    range: Range<usize>,
    limit: usize,
    count: &mut dyn FnMut(&str) -> Result<usize>,
    parts: &mut Vec<Range<usize>>,
) -> Result<()> {
    let part = &text[range.clone()];
    let middle = part.char_indices().map(|(at, _)| at).find(|&at| at > 0 && at >= part.len() / 2);
    match middle {
        Some(middle) if count(part)? > limit => {
            fit(text, range.start..range.start + middle, limit, count, parts)?;
            fit(text, range.start + middle..range.end, limit, count, parts)
        }
        _ => {
            parts.push(range);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// One token a word of letters up to five, one for any other four bytes begun.
    fn count(text: &str) -> usize {
        text.split_word_bounds().map(|w| if w.is_ascii() { w.len().div_ceil(5) } else { w.len().div_ceil(4) }).sum()
    }

    fn parts(text: &str, limit: usize) -> Vec<Range<usize>> {
        split(text, limit, &mut |t| Ok(count(t))).unwrap()
    }

    #[test]
    fn cuts_fall_between_sentences() {
        let text = "One two three four five six. Seven eight nine ten eleven. Twelve thirteen fourteen fifteen.";
        let cut: Vec<_> = parts(text, 16).into_iter().map(|r| &text[r]).collect();
        assert!(cut.len() > 1);
        assert!(cut.iter().all(|part| part.trim_end().ends_with('.')), "{cut:?}");
    }

    #[test]
    fn paragraphs_come_before_sentences() {
        let text = "A b c d. E f g h.\n\nI j k l. M n o p. Q r s t. U v w.";
        let cut: Vec<_> = parts(text, 26).into_iter().map(|r| &text[r]).collect();
        assert_eq!(cut[0], "A b c d. E f g h.\n\n");
    }

    #[test]
    fn hostile_texts_end() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(3000);
        for text in [&"x".repeat(100_000), &"🐦".repeat(20_000), &family, &"\n".repeat(5000), &"<|im_end|>".repeat(999)]
        {
            let parts = parts(text, 40);
            assert_eq!(parts.iter().map(|r| &text[r.clone()]).collect::<String>(), **text);
            assert!(parts.iter().all(|r| count(&text[r.clone()]) <= 40));
        }
        assert!(parts("", 40).is_empty());
    }

    proptest! {
        #[test]
        fn parts_cover_the_text_in_order_and_fit(text in "(\\PC|[a-z]{1,9}|\\. |\n\n| ){0,400}", limit in 16_usize..80) {
            let parts = parts(&text, limit);
            let mut at = 0;
            for part in &parts {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.end > part.start);
                prop_assert!(count(&text[part.clone()]) <= limit);
                at = part.end;
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
