//! Folds texts into words without case and accents, the same for what is indexed and for what is searched.
//!
//! Spellings that one place goes by meet: Århus, Aarhus and Arhus are all `arhus`; København, Koebenhavn and Kobenhavn
//! all `kobenhavn`; Ærø is `aro` like Aero, Köln is `koln` like Koeln. So accents fall, `å`, `æ` and `ä` become `a`,
//! `ø` and `ö` become `o`, and `a` or `e` after an `a`, `e` after an `o` or a `u`, however many, fall too. The price
//! is that a few words meet that should not, such as poem and pom.
//!
//! Only accents fall, and the points of Hebrew and Arabic, which many leave out: vowel signs of other scripts, such as
//! those of Devanagari, tell words apart, and so do the voicing marks of kana, which make a letter of their own.
//!
//! Letters only fall or are replaced one after the other, so the beginning of a word folds to the beginning of what
//! the word folds to: whoever types on keeps what was found.

use std::ops::Range;

use unicode_normalization::{
    UnicodeNormalization,
    char::{compose, is_combining_mark},
};

/// Most letters of a folded word; further ones are cut off.
pub(super) const LONGEST: usize = 40;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedWord {
    /// The word without case and accents.
    pub folded: String,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

/// The words of a text, in order. Anything that is neither a letter nor a digit separates them.
pub fn split_words(text: &str) -> impl Iterator<Item = FoldedWord> {
    let mut letters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while letters
            .next_if(|(_, letter)| !is_word_letter(*letter))
            .is_some()
        {}
        let (start, _) = *letters.peek()?;
        let mut folded = FoldedWordBuilder::default();
        let mut end = start;
        while let Some((at, letter)) =
            letters.next_if(|(_, letter)| is_word_letter(*letter) || is_ignored_in_word(*letter))
        {
            end = at + letter.len_utf8();
            folded.add_letter(letter);
        }
        Some(FoldedWord {
            folded: folded.text,
            at: start..end,
        })
    })
}

fn fold_letter(letter: char) -> impl Iterator<Item = char> {
    std::iter::once(letter)
        .nfkd()
        // Compatible forms decompose into signs as well, such as the brackets of ⑴: only letters and digits are of a
        // word.
        .filter(|letter| (letter.is_alphanumeric() && !is_accent(*letter)) || is_voicing(*letter))
}

/// Whether a mark falls: an accent of Latin, Greek and Cyrillic letters, or a point of Hebrew and Arabic ones.
fn is_accent(letter: char) -> bool {
    matches!(
        letter,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{591}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6ed}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{2de0}'..='\u{2dff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Whether a mark voices the kana before it: カ with ゛ is ガ.
fn is_voicing(letter: char) -> bool {
    matches!(letter, '\u{3099}' | '\u{309a}')
}

/// Whether a word may begin with it.
fn is_word_letter(letter: char) -> bool {
    !is_combining_mark(letter) && fold_letter(letter).any(|letter| !is_voicing(letter))
}

/// Whether a character goes on with a word without being a letter: a mark, a soft hyphen, a joiner.
fn is_ignored_in_word(letter: char) -> bool {
    is_combining_mark(letter)
        // The marks of half-width kana.
        || matches!(letter, '\u{ff9e}' | '\u{ff9f}')
        || matches!(
            letter,
            '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}'
        )
}

/// A word under construction.
#[derive(Default)]
struct FoldedWordBuilder {
    text: String,
    letters: usize,
    last: Option<char>,
}

impl FoldedWordBuilder {
    fn add_letter(&mut self, letter: char) {
        for letter in fold_letter(letter).flat_map(char::to_lowercase) {
            let mut own = [0; 4];
            for letter in transliterate_letter(letter)
                .unwrap_or(letter.encode_utf8(&mut own))
                .chars()
            {
                self.push_unless_lengthening(letter);
            }
        }
    }

    fn push_unless_lengthening(&mut self, letter: char) {
        if is_voicing(letter) {
            return self.voice_last(letter);
        }
        let lengthens = matches!(
            (self.last, letter),
            (Some('a'), 'a' | 'e') | (Some('o' | 'u'), 'e')
        );
        // İ is lowered to an i and a dot above it.
        // Cut while folding and not afterwards: a word of a megabyte needs no more memory than its first forty
        // letters.
        if lengthens || is_accent(letter) || self.letters == LONGEST {
            return;
        }
        self.text.push(letter);
        self.letters += 1;
        self.last = Some(letter);
    }

    /// Makes one letter of the last one and a voicing mark; a mark that makes none with it falls.
    fn voice_last(&mut self, mark: char) {
        if let Some(voiced) = self.last.and_then(|last| compose(last, mark)) {
            self.text.pop();
            self.text.push(voiced);
            self.last = Some(voiced);
        }
    }
}

/// The plain letters for a letter that has no decomposition.
fn transliterate_letter(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ß' => "ss",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'þ' => "th",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        let words: Vec<String> = split_words(text).map(|word| word.folded).collect();
        words.join(" ")
    }

    #[test]
    fn every_spelling_of_a_place_meets_the_others() {
        for (spellings, word) in [
            (
                &["Århus", "Aarhus", "Arhus", "A\u{30a}RHUS", "aaRHUS"][..],
                "arhus",
            ),
            (
                &["København", "Koebenhavn", "Kobenhavn", "KØBENHAVN"],
                "kobenhavn",
            ),
            (&["Ærø", "Aeroe", "Aero", "Äro", "Arö"], "aro"),
            (&["Köln", "Koeln", "KOLN"], "koln"),
            (&["Bücher", "Buecher", "bucher"], "bucher"),
            (&["Grüße", "GRÜSSE", "gruesse", "GRÜẞE"], "grusse"),
            (&["Blåeis", "Blaaeis", "Blaeis"], "blais"),
            (&["søen", "soeen", "soen", "sön"], "son"),
            (&["Fähre", "faehre", "fahre"], "fahre"),
            (&["crème", "creme", "CRÈME"], "creme"),
            (&["ΟΔΟΣ", "οδος", "οδός"], "οδοσ"),
            (&["ガイド", "ｶﾞｲﾄﾞ", "カ\u{3099}イト\u{3099}"], "ガイド"),
            (&["カイト", "ｶｲﾄ"], "カイト"),
            (&["パン", "ﾊﾟﾝ"], "パン"),
            (&["दिन"], "दिन"),
            (&["दान"], "दान"),
            (&["שלום", "שָׁלוֹם"], "שלום"),
            (&["سلام", "سَلَام"], "سلام"),
            (&["Йод", "Иод"], "иод"),
            (&["ﬁnance", "ｆｉｎａｎｃｅ", "Fi\u{ad}nance"], "finance"),
        ] {
            for spelling in spellings {
                assert_eq!(folded(spelling), word, "{spelling}");
            }
        }
    }

    #[test]
    fn words_are_parted_by_what_is_no_letter_and_know_where_they_stand() {
        assert_eq!(folded("e-mail: \"NEAR\"(x*)\0y_z"), "e mail near x y z");
        assert_eq!(folded(" … 🚀 – "), "");
        let found: Vec<FoldedWord> = split_words("på Ærø!").collect();
        let at = |text: &str, at: Range<usize>| FoldedWord {
            folded: text.to_owned(),
            at,
        };
        assert_eq!(found, [at("pa", 0..3), at("aro", 4..9)]);
        assert_eq!(folded(&"x".repeat(50)), "x".repeat(LONGEST));
    }

    proptest! {
        #[test]
        fn the_beginning_of_a_word_folds_to_the_beginning_of_its_fold(word in "[a-zæøåäöüßéÅÆØ]{1,50}") {
            let whole = folded(&word);
            for (cut, _) in word.char_indices().skip(1) {
                prop_assert!(whole.starts_with(&folded(&word[..cut])), "{} of {word}", &word[..cut]);
            }
        }

        #[test]
        fn a_folded_word_stays_as_it_is_and_has_letters_and_digits_only(text in "\\PC{0,40}") {
            for word in split_words(&text) {
                prop_assert!(word.folded.chars().all(|letter| letter.is_alphanumeric()), "{word:?}");
                prop_assert!(text.get(word.at.clone()).is_some());
            }
        }
    }
}
