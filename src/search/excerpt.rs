//! Excerpts: the matched words in the texts as people wrote them. It reads no row.

use std::ops::Range;

use async_graphql::SimpleObject;

use crate::{
    index::{SearchEntry, split_words},
    text::visible_characters,
};

/// Most characters before the first match.
const BEFORE: usize = 40;

/// Most characters of an excerpt.
const SHOWN: usize = 160;

/// A text that contains the words.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct SearchMatch {
    /// The field, by its name in the API; each text of a list is a match of its own.
    pub field: &'static str,
    /// About 160 characters of the text, in consecutive pieces.
    pub pieces: Vec<SearchPiece>,
    /// Whether the text begins before the first piece.
    pub cut_before: bool,
    /// Whether the text continues after the last piece.
    pub cut_after: bool,
}

/// A piece of a text. Joined in order, the pieces are the text; nothing is escaped.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct SearchPiece {
    /// The text.
    pub text: String,
    /// Whether it is one of the words searched for.
    pub matched: bool,
}

/// The excerpts of an entry's texts in which any of the words occurs, at most `most`.
pub(super) fn find_matches(
    entry: &SearchEntry,
    wanted: &[String],
    most: usize,
) -> Vec<SearchMatch> {
    let texts = entry
        .texts
        .iter()
        .flat_map(|(field, texts)| texts.iter().map(|text| (*field, text)));
    let found = texts.filter_map(|(field, text)| {
        let at = find_word_ranges(text, wanted);
        (!at.is_empty()).then(|| cut_excerpt(field, text, &at))
    });
    found.take(most).collect()
}

/// The ranges of a text's words that begin with one of the wanted ones, in order.
fn find_word_ranges(text: &str, wanted: &[String]) -> Vec<Range<usize>> {
    let found = split_words(text).filter(|word| {
        wanted
            .iter()
            .any(|wanted| word.folded.starts_with(wanted.as_str()))
    });
    found.map(|word| word.at).collect()
}

fn cut_excerpt(field: &'static str, text: &str, at: &[Range<usize>]) -> SearchMatch {
    let first = at.first().map_or(0, |word| word.start);
    let from = visible_characters(&text[..first])
        .rev()
        // By what a reader sees as one character: half of one would be another.
        .nth(BEFORE - 1)
        .map_or(0, |(from, _)| from);
    let to = visible_characters(&text[from..])
        .nth(SHOWN)
        .map_or(text.len(), |(to, _)| from + to);
    let mut pieces = Vec::new();
    let mut add = |range: Range<usize>, matched| {
        if !range.is_empty() {
            pieces.push(SearchPiece {
                text: text[range].to_owned(),
                matched,
            });
        }
    };
    let mut done = from;
    for word in at.iter().filter(|word| word.start < to) {
        add(done..word.start, false);
        add(word.start..word.end.min(to), true);
        done = word.end.min(to);
    }
    add(done..to, false);
    SearchMatch {
        field,
        pieces,
        cut_before: from > 0,
        cut_after: to < text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_visible_character_is_cut_apart() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        let flag = "🇩🇰";
        for seen in [family, flag, "e\u{301}"] {
            let text = format!("{} needle {}", seen.repeat(60), seen.repeat(300));
            let at = find_word_ranges(&text, &["needle".to_owned()]);
            let found = cut_excerpt("note", &text, &at);
            assert!(found.cut_before && found.cut_after);
            let (first, last) = (&found.pieces[0], &found.pieces[2]);
            assert_eq!(found.pieces[1].text, "needle");
            for piece in [first, last] {
                let left = piece.text.replace(seen, "");
                assert_eq!(left.trim(), "", "{:?}", piece.text);
            }
        }
    }
}
