//! Folds texts into words without case and accents, the same for what is indexed and for what is searched.
//!
//! Spellings that one place goes by meet: Århus, Aarhus and Arhus are all `arhus`; København, Koebenhavn and Kobenhavn
//! all `kobenhavn`; Ærø is `aro` like Aero, Köln is `koln` like Koeln. So accents fall, `å`, `æ` and `ä` become `a`,
//! `ø` and `ö` become `o`, and `a` or `e` after an `a`, `e` after an `o` or a `u`, however many, fall too. The price
//! is that a few words meet that should not, such as poem and pom.
//!
//! Only accents fall, and the points of Hebrew, Arabic and Syriac, which many leave out. The marks of other scripts tell
//! words apart: vowel signs, nuktas and viramas of Indic scripts, tones of Thai and Lao, asat and medials of Burmese. So
//! do the voicing marks of kana, which make a letter of their own.
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
        // word, and their marks.
        .filter(|letter| {
            (letter.is_alphanumeric() || is_combining_mark(*letter)) && !is_falling_mark(*letter)
        })
}

/// Whether a mark falls: an accent of Latin, Greek and Cyrillic letters, a point of Hebrew, Arabic and Syriac ones, a
/// sign of recitation, or the choice of a letter's shape.
fn is_falling_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{591}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6ed}'
            | '\u{711}'
            | '\u{730}'..='\u{74a}'
            | '\u{898}'..='\u{89f}'
            | '\u{8ca}'..='\u{8ff}'
            | '\u{951}'..='\u{954}'
            | '\u{180b}'..='\u{180f}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1cd0}'..='\u{1cff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{2de0}'..='\u{2dff}'
            | '\u{a66f}'..='\u{a67d}'
            | '\u{a69e}'..='\u{a69f}'
            | '\u{a8e0}'..='\u{a8f1}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether a mark voices the kana before it: カ with ゛ is ガ.
fn is_voicing(letter: char) -> bool {
    matches!(letter, '\u{3099}' | '\u{309a}')
}

/// Whether a word may begin with it.
fn is_word_letter(letter: char) -> bool {
    !is_combining_mark(letter) && fold_letter(letter).any(|letter| !is_combining_mark(letter))
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
        if lengthens || is_falling_mark(letter) || self.letters == LONGEST {
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
            (&["लड़का", "लड\u{93c}का", "ल\u{95c}का"], "लड\u{93c}का"),
            (&["लडका"], "लडका"),
            (&["पक्का"], "पक्का"),
            (&["पकका"], "पकका"),
            (&["மக்கள்"], "மக்கள்"),
            (&["மககள"], "மககள"),
            (&["ม้า"], "ม้า"),
            (&["ม่า"], "ม่า"),
            (&["มา"], "มา"),
            (&["ນ້ຳ", "ນ\u{ec9}\u{ecd}າ"], "ນ\u{ec9}\u{ecd}າ"),
            (&["ကြက်"], "ကြက်"),
            (&["ကြက"], "ကြက"),
            (&["ខ្មែរ"], "ខ្មែរ"),
            (&["བོད་"], "བོད"),
            (&["ދިވެހި"], "ދިވެހި"),
            (&["ܫܠܡܐ", "ܫܠܵܡܵܐ"], "ܫܠܡܐ"),
            (&["葛\u{e0100}", "葛"], "葛"),
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
        fn a_folded_word_has_letters_digits_and_their_marks_only(text in "\\PC{0,40}") {
            for word in split_words(&text) {
                let is_plain = |letter: char| letter.is_alphanumeric() || is_combining_mark(letter);
                prop_assert!(word.folded.chars().all(is_plain), "{word:?}");
                // No operator of either full-text index.
                prop_assert!(word.folded.chars().all(|letter| letter.is_ascii_alphanumeric() || !letter.is_ascii()));
                prop_assert!(text.get(word.at.clone()).is_some());
            }
        }
    }
}
