//! Texts in small or in capital letters, by one rule in the program and both databases, whatever their locale: letter by
//! letter, where exactly one letter becomes of it (`ß` and `ﬁ` have no single capital and stay).
//!
//! The databases fold ASCII alone. A text that is looked for has few other letters, and no more than these have to be
//! told apart: each is put in the place of the letters that become it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use sea_orm::DbBackend;

use crate::statement::SqlBuilder;

/// Most letters of a filter that are put in the place of others: each is a function within another in SQL.
pub const MOST_REPLACED: usize = 100;

/// The case that a text is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterCase {
    Small,
    Capital,
}

impl LetterCase {
    fn of_letter(self, letter: char) -> char {
        match self {
            Self::Small if letter.is_ascii() => letter.to_ascii_lowercase(),
            Self::Capital if letter.is_ascii() => letter.to_ascii_uppercase(),
            Self::Small => single_or(letter.to_lowercase(), letter),
            Self::Capital => single_or(letter.to_uppercase(), letter),
        }
    }

    /// The text in this case.
    #[must_use]
    pub fn of_text(self, text: &str) -> String {
        text.chars().map(|letter| self.of_letter(letter)).collect()
    }

    /// The letters, ASCII aside, in whose place one of `wanted` has to be put, each with that.
    #[must_use]
    pub fn replacements(self, wanted: &str) -> Vec<(char, char)> {
        let letters: BTreeSet<char> = wanted.chars().collect();
        let origins = match self {
            Self::Small => &*BECOMING_SMALL,
            Self::Capital => &*BECOMING_CAPITAL,
        };
        let each = letters.into_iter().flat_map(|letter| {
            let from = origins.get(&letter).map_or(&[][..], Vec::as_slice);
            from.iter().map(move |from| (*from, letter))
        });
        each.collect()
    }

    /// Appends the text of a column in this case, as far as comparing it with `wanted` asks for it.
    #[must_use]
    pub fn append_to_sql(self, text: SqlBuilder, column: &str, wanted: &str) -> SqlBuilder {
        let replacements = self.replacements(wanted);
        let function = match self {
            Self::Small => "lower",
            Self::Capital => "upper",
        };
        let ascii_alone = match text.backend() {
            DbBackend::Postgres => " COLLATE \"C\"",
            _ => "",
        };
        let begun = text
            .then(&"replace(".repeat(replacements.len()))
            .then(&format!("{function}({column}{ascii_alone})"));
        // In the text and not as values, of which a statement has so many: they are letters, and none is a quote.
        replacements.iter().fold(begun, |text, (from, to)| {
            text.then(&format!(", '{from}', '{to}')"))
        })
    }
}

/// What a letter becomes, where that is one letter; else itself.
fn single_or(mut becomes: impl Iterator<Item = char>, letter: char) -> char {
    let first = becomes.next();
    first.filter(|_| becomes.next().is_none()).unwrap_or(letter)
}

/// The letters that become each letter, ASCII ones aside.
type Origins = HashMap<char, Vec<char>>;
static BECOMING_SMALL: LazyLock<Origins> = LazyLock::new(|| find_origins(LetterCase::Small));
static BECOMING_CAPITAL: LazyLock<Origins> = LazyLock::new(|| find_origins(LetterCase::Capital));

fn find_origins(case: LetterCase) -> Origins {
    let mut origins = Origins::new();
    for letter in '\u{80}'..=char::MAX {
        let becomes = case.of_letter(letter);
        if becomes != letter {
            origins.entry(becomes).or_default().push(letter);
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_scripts_have_their_case_and_keep_it_where_one_would_become_two() {
        assert_eq!(
            LetterCase::Small.of_text("ÆBLE Кафе ΣΟΦΟΣ Straße İ"),
            "æble кафе σοφοσ straße İ"
        );
        assert_eq!(
            LetterCase::Capital.of_text("æble кафе straße ﬁ"),
            "ÆBLE КАФЕ STRAßE ﬁ"
        );
        // What a filter says in a case is brought to it by the same rule.
        for text in [
            "ÆBLE",
            "Кафе",
            "ΣΟΦΟΣ",
            "Straße",
            "İ",
            "ﬁre",
            "Ǆ",
            "kK\u{212a}",
        ] {
            for (case, name) in [
                (LetterCase::Small, "tolower"),
                (LetterCase::Capital, "toupper"),
            ] {
                let said = odata_filter::parse_filter(&format!("x eq {name}('{text}')"));
                let wanted = format!("x eq '{}'", case.of_text(text));
                assert_eq!(said.expect("a filter").to_string(), wanted);
            }
        }
        let kelvin = ('\u{212a}', 'k');
        assert_eq!(LetterCase::Small.replacements("kæk"), [kelvin, ('Æ', 'æ')]);
    }
}
