//! Text as people see it: which characters show nothing, and how a sentence repeats a text that somebody sent.

use deunicode::deunicode_char;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Longest piece of a text that a sentence repeats, in characters.
const QUOTED: usize = 64;

/// Most parts of one visible character: a family of four has seven.
const PARTS: usize = 8;

/// Whether a character leaves no mark of its own where it is shown: controls, formats, joiners, selectors and blanks
/// other than the space.
///
/// These are the default ignorable code points of Unicode, the controls, and the blanks that are none of them.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a text shows nothing: it is empty, or has blanks and unseen characters alone.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || is_unseen(c))
}

/// The text by which keys, names and needs are told apart: without spaces around it, composed, in small letters.
#[must_use]
pub fn fold_key(text: &str) -> String {
    let text: String = text.trim().nfc().collect();
    // The small sigma at the end of a word has a form of its own, which is made of no other small letter.
    text.to_lowercase().replace('ς', "σ")
}

/// What a reader sees as one character after the other, with where each begins (UAX 29). A tower of marks or a long chain
/// of joined pictures is no one's character: it comes in its parts.
pub fn visible_characters(text: &str) -> impl DoubleEndedIterator<Item = (usize, &str)> {
    let parts = |(at, seen): (usize, &'_ str)| -> Vec<(usize, usize)> {
        match seen.chars().count() > PARTS {
            true => seen
                .char_indices()
                .map(|(inside, c)| (at + inside, c.len_utf8()))
                .collect(),
            false => vec![(at, seen.len())],
        }
    };
    let all = text.grapheme_indices(true).flat_map(parts);
    all.map(|(at, length)| (at, text.get(at..at + length).unwrap_or_default()))
}

/// A text for a sentence about it: its first 64 characters, with the unseen ones as `<U+00A0>`. A text with one of
/// these looks right to whoever reads it: only the number shows what is wrong.
#[must_use]
pub fn quote_for_message(text: &str) -> String {
    let (mut quoted, mut left) = (String::new(), QUOTED);
    // By what a reader sees as one character: half of it would be another one.
    for seen in visible_characters(text).map(|(_, seen)| show_unseen(seen)) {
        let Some(rest) = left.checked_sub(seen.chars().count()) else {
            break;
        };
        left = rest;
        quoted.push_str(&seen);
    }
    quoted
}

fn show_unseen(cluster: &str) -> String {
    let shown = cluster.chars().map(|c| match is_unseen(c) {
        true => format!("<U+{:04X}>", u32::from(c)),
        false => c.to_string(),
    });
    shown.collect()
}

/// Longest key that is made from a name.
const MADE_KEY: usize = 40;

/// Makes a key from a name, in Latin letters whatever its script: `Ærø by night` becomes `aeroe-by-night`, `予約` becomes
/// `yu-yue`. At most 40 characters.
#[must_use]
pub fn make_key_from_name(name: &str) -> String {
    let mut key = String::new();
    // Composed first: an accent, or the mark of half-width kana, that comes as a character of its own must not part its
    // word.
    for c in name.nfkc().flat_map(char::to_lowercase) {
        let plain = match c {
            // As people of these languages write them where they cannot be typed.
            'æ' | 'ä' => "ae",
            'ø' | 'ö' => "oe",
            'å' => "aa",
            'ü' => "ue",
            c if c.is_whitespace() => " ",
            c => deunicode_char(c).unwrap_or(" "),
        };
        for c in plain.chars() {
            if c.is_ascii_alphanumeric() {
                key.push(c.to_ascii_lowercase());
            } else if !key.is_empty() && !key.ends_with('-') {
                key.push('-');
            }
        }
        if key.len() >= MADE_KEY {
            break;
        }
    }
    key.truncate(MADE_KEY);
    let key = key.trim_end_matches('-');
    if key.is_empty() {
        "x".to_owned()
    } else {
        key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_shows_nothing_is_blank() {
        for text in [
            "",
            " ",
            "\t\n",
            "\u{200b}\u{200b}",
            "\u{feff} \u{2060}",
            "\u{3164}",
            "\u{2800}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["x", " \u{200b}0", "😀", "\u{301}", "न"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn what_looks_the_same_is_told_apart_by_nothing() {
        assert_eq!(fold_key(" RE\u{301}SUME\u{301} "), fold_key("résumé"));
        assert_eq!(fold_key("ÆRLIG"), fold_key("ærlig"));
        assert_eq!(fold_key("ΟΔΟΣ"), fold_key("οδος"));
        assert_eq!(fold_key("ΣΑΣ"), fold_key("σασ"));
    }

    #[test]
    fn what_nobody_sees_is_quoted_by_its_number() {
        assert_eq!(quote_for_message("KU9\u{200b}"), "KU9<U+200B>");
        assert_eq!(quote_for_message("a b\tc"), "a b<U+0009>c");
        assert_eq!(quote_for_message("\u{202e}evil"), "<U+202E>evil");
        assert_eq!(quote_for_message(&"x".repeat(100)).len(), 64);
        assert_eq!(quote_for_message("9\u{fe0f}"), "9<U+FE0F>");
        let joined = quote_for_message(&format!("KU9{}", "\u{200c}".repeat(9)));
        assert_eq!(joined, format!("KU9{}", "<U+200C>".repeat(7)));
        assert_eq!(
            quote_for_message(&format!("{}🇩🇰", "x".repeat(63))),
            "x".repeat(63),
            "no half of a flag"
        );
        assert_eq!(
            quote_for_message(&"\u{a0}".repeat(100)),
            "<U+00A0>".repeat(8)
        );
    }

    #[test]
    fn keys_are_made_of_names_in_any_script() {
        for (name, key) in [
            ("Ærø by night", "aeroe-by-night"),
            ("résumé", "resume"),
            ("tab\there", "tab-here"),
            ("re\u{301}sume\u{301}", "resume"),
            ("España", "espana"),
            ("Złożenie", "zlozenie"),
            ("Straße & Weg", "strasse-weg"),
            ("Łódź", "lodz"),
            ("Ελλάδα", "ellada"),
            ("Москва", "moskva"),
            ("予約", "yu-yue"),
            ("ｶﾞﾗｽ", "garasu"),
            ("ガラス", "garasu"),
            ("カ\u{3099}ラス", "garasu"),
            ("ＶＩＰ", "vip"),
            ("customer's e-mail", "customer-s-e-mail"),
            ("\u{200b}\u{200d}", "x"),
            ("…", "x"),
        ] {
            assert_eq!(make_key_from_name(name), key, "{name}");
        }
        let long = make_key_from_name(&"ø".repeat(200));
        assert_eq!(long.len(), MADE_KEY);
        assert!(make_key_from_name(&"予約".repeat(200)).len() <= MADE_KEY);
    }
}
