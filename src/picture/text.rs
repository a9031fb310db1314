//! Text that has to fit: how wide it is at the most, where it is wrapped and cut, and what may stand in XML at all. It
//! draws nothing.
//!
//! The widths are those of Helvetica, which Arial and Liberation Sans share, as a table. Crates that measure text
//! (ab_glyph, cosmic-text) need the file of a font, and there is none: the reader's browser sets the text, in a font of
//! its own, and a server without fonts has to draw the same bytes. unicode-width counts columns of a terminal.

use unicode_normalization::UnicodeNormalization;

use crate::text::visible_characters;

/// A size and weight of the one family that pictures are set in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Font {
    pub size: f64,
    pub bold: bool,
    /// Added after every character, in pixels.
    pub spacing: f64,
}

/// What stands for what was cut off.
const ELLIPSIS: char = '…';

/// Every width is taken this much larger, for a reader's font that is wider than Helvetica.
const RESERVE: f64 = 1.04;

/// Marks that sit on one character at the most; more would climb out of their line.
const MARKS: usize = 2;

impl Font {
    pub(super) const fn plain(size: f64) -> Self {
        Self {
            size,
            bold: false,
            spacing: 0.0,
        }
    }

    pub(super) const fn bold(size: f64) -> Self {
        Self {
            bold: true,
            ..Self::plain(size)
        }
    }

    /// Small letters that are set apart, for names of things that are always there.
    pub(super) const fn label(size: f64) -> Self {
        Self {
            spacing: 0.7,
            ..Self::bold(size)
        }
    }

    /// The same, so many times as large.
    pub(super) fn scaled(self, times: f64) -> Self {
        Self {
            size: (self.size * times * 2.0).round() / 2.0,
            ..self
        }
    }

    fn char_width(self, c: char) -> f64 {
        match upper_char_width_estimate(c, self.bold) {
            0 => 0.0,
            wide => f64::from(wide) / 1000.0 * self.size * RESERVE + self.spacing,
        }
    }

    /// How wide a text is at the most.
    pub(super) fn width(self, text: &str) -> f64 {
        text.chars().map(|c| self.char_width(c)).sum()
    }

    /// How wide a text is in the family itself, where every character of it is known: what another family is squeezed
    /// or stretched to.
    pub(super) fn exact_width(self, text: &str) -> Option<f64> {
        let mut wide = 0;
        for c in text.chars() {
            wide += u32::from(known_char_width(c, self.bold)?);
        }
        (self.spacing == 0.0).then(|| f64::from(wide) / 1000.0 * self.size)
    }

    /// The text on one line, cut where it is too wide.
    pub(super) fn clip(self, text: &str, within: f64) -> String {
        if self.width(text) <= within {
            return text.to_owned();
        }
        let room = within - self.char_width(ELLIPSIS);
        let end = self.fitting_bytes(text, room).unwrap_or(text.len());
        let kept = text.get(..end).unwrap_or_default();
        format!("{}{ELLIPSIS}", kept.trim_end())
    }

    /// The text on so many lines at most, the last one cut.
    pub(super) fn wrap(self, text: &str, within: f64, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() && lines.len() < most {
            if lines.len() + 1 == most {
                lines.push(self.clip(rest, within));
                break;
            }
            let (line, after) = rest.split_at(self.line_end(rest, within));
            lines.push(line.trim_end().to_owned());
            rest = after.trim_start();
        }
        lines
    }

    /// Where the first line of a text ends: after a whole word if one fits.
    fn line_end(self, text: &str, within: f64) -> usize {
        let Some(end) = self.fitting_bytes(text, within) else {
            return text.len();
        };
        let line = text.get(..end).unwrap_or_default();
        if text[end..].starts_with(' ') {
            return end;
        }
        let mut characters = visible_characters(line).rev();
        let after_word = characters.find(|(_, seen)| matches!(*seen, " " | "-" | "/"));
        let after_word = after_word.map(|(at, _)| at + 1);
        after_word.unwrap_or_else(|| match end {
            // Not even one character fits: one is set all the same, so that there is an end to it.
            0 => visible_characters(text)
                .next()
                .map_or(0, |(_, seen)| seen.len()),
            end => end,
        })
    }

    /// Up to where a text fits; nothing where all of it does. What a reader sees as one character is never parted.
    fn fitting_bytes(self, text: &str, within: f64) -> Option<usize> {
        let mut width = 0.0;
        for (at, seen) in visible_characters(text) {
            width += self.width(seen);
            if width > within {
                return Some(at);
            }
        }
        None
    }
}

/// One line of text as it may stand in XML: white space as single spaces, nothing that controls, no towers of marks.
pub(super) fn clean_line(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut marks = 0;
    // Composed first: a mark that is a part of its letter is none too many.
    for c in text.nfc() {
        if c.is_whitespace() {
            if !cleaned.is_empty() && !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks <= MARKS && !is_control(c) {
            cleaned.push(c);
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// The text with everything replaced that means something in XML.
pub fn escape_xml_into(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            c if is_control(c) => {}
            c => into.push(c),
        }
    }
}

/// What XML refuses, and what turns the direction of text around.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// From the space to the tilde, in thousandths of the size.
const PLAIN: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

/// From `À` to `ÿ`.
const PLAIN_ACCENTED: [u16; 64] = [
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778,
    778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611, 556, 556, 556, 556, 556, 556,
    889, 500, 556, 556, 556, 556, 278, 278, 278, 278, 556, 556, 556, 556, 556, 556, 556, 584, 611,
    556, 556, 556, 556, 500, 556, 500,
];
const BOLD_ACCENTED: [u16; 64] = [
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778,
    778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611, 556, 556, 556, 556, 556, 556,
    889, 556, 556, 556, 556, 556, 278, 278, 278, 278, 611, 611, 611, 611, 611, 611, 611, 584, 611,
    611, 611, 611, 611, 556, 611, 556,
];

/// How wide a character of the family is, in thousandths of the size, where that is known.
fn known_char_width(c: char, bold: bool) -> Option<u16> {
    let (table, first) = match (c, bold) {
        (' '..='~', false) => (&PLAIN[..], ' '),
        (' '..='~', true) => (&BOLD[..], ' '),
        ('À'..='ÿ', false) => (&PLAIN_ACCENTED[..], 'À'),
        ('À'..='ÿ', true) => (&BOLD_ACCENTED[..], 'À'),
        ('·', _) => return Some(333),
        ('‘' | '’', false) => return Some(222),
        ('‘' | '’', true) => return Some(278),
        ('“' | '”' | '„', false) => return Some(333),
        ('“' | '”' | '„', true) => return Some(500),
        ('–' | '€', _) => return Some(556),
        ('−', _) => return Some(584),
        ('…', _) => return Some(1000),
        _ => return None,
    };
    table.get(c as usize - first as usize).copied()
}

/// How wide a character is at the most, in thousandths of the size; 0 for what joins the one before it.
fn upper_char_width_estimate(c: char, bold: bool) -> u16 {
    known_char_width(c, bold).unwrap_or(match c {
        '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => 0,
        c if is_mark(c) || is_control(c) => 0,
        '\u{a0}'..='\u{24f}' => 1000,
        '\u{250}'..='\u{58f}' => 1080,
        // A whole sentence in one character, and a script of pictures.
        '\u{fdf0}'..='\u{fdff}' => 12_000,
        '\u{12000}'..='\u{1254f}' => 4_000,
        '\u{1f000}'.. => 1_450,
        _ => 1_250,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FONT: Font = Font::plain(10.0);

    #[test]
    fn words_are_kept_whole_where_they_fit_and_the_last_line_is_cut() {
        let lines = FONT.wrap("Job-application guides and salary statistics", 90.0, 2);
        assert_eq!(lines, ["Job-application", "guides and salar…"]);
        assert_eq!(FONT.wrap("Booking", 90.0, 3), ["Booking"]);
        assert_eq!(FONT.wrap("  ", 90.0, 3), Vec::<String>::new());
        assert_eq!(FONT.clip("Booking", 1.0), "…");
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken() {
        let lines = FONT.wrap(&"m".repeat(30), 100.0, 9);
        assert_eq!(lines.concat(), "m".repeat(30));
        assert!(lines.iter().all(|line| FONT.width(line) <= 100.0));
    }

    #[test]
    fn what_is_seen_as_one_character_is_never_parted() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        for seen in ["🇩🇰", family, "👍🏽", "e\u{301}", "क्षि", "각"] {
            let text = seen.repeat(12);
            for within in [1.0, 20.0, 50.0, 77.0, 100.0] {
                let lines = FONT.wrap(&text, within, 99);
                assert_eq!(lines.concat(), text);
                for line in lines {
                    assert!(
                        line.len().is_multiple_of(seen.len()),
                        "{line:?} of {seen:?}"
                    );
                }
                let cut = FONT.clip(&text, within);
                let kept = cut.strip_suffix(ELLIPSIS).unwrap_or(&cut);
                assert!(kept.len().is_multiple_of(seen.len()), "{cut:?} of {seen:?}");
            }
        }
        assert_eq!(clean_line("ω\u{314}\u{342}\u{345}"), "ᾧ");
    }

    #[test]
    fn only_what_may_stand_in_xml_is_left() {
        let told = clean_line("a\u{0}\t\n b\u{202e}c\u{ffff}\u{85}d  ");
        assert_eq!(told, "a bc d");
        assert_eq!(
            clean_line(&format!("x{}", "\u{301}".repeat(40))),
            "x\u{301}\u{301}"
        );
        let mut escaped = String::new();
        escape_xml_into("<b a=\"1\" c='2'>&\u{1}", &mut escaped);
        assert_eq!(escaped, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }

    proptest! {
        #[test]
        fn whatever_is_written_fits(text in "\\PC{0,60}", within in 20.0..300.0, most in 1usize..5) {
            let cleaned = clean_line(&text);
            let lines = FONT.wrap(&cleaned, within, most);
            prop_assert!(lines.len() <= most);
            for line in &lines {
                let one = visible_characters(line).count() <= 1;
                prop_assert!(one || FONT.width(line) <= within, "{line:?}");
            }
        }
    }
}
