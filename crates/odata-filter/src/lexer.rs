//! Splits a `$filter` into tokens, in time linear in its length.

use chrono::{DateTime, NaiveDate, Timelike, Utc};

use crate::{expression::Literal, fault::Fault};

/// The smallest part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'t> {
    Open,
    Close,
    Comma,
    Slash,
    Word(&'t str),
    Literal(Literal),
    End,
}

/// Reads tokens from left to right.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    /// The byte after the last token.
    at: usize,
    /// The first byte of the last token.
    began: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            began: 0,
        }
    }

    /// The letter, counted from 1, at which the last token begins.
    fn token_position(&self) -> usize {
        let before = self.text.get(..self.began).unwrap_or_default();
        before.chars().count() + 1
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A fault at the last token.
    pub(crate) fn fault_at(&self, what: &str) -> Fault {
        Fault::bad_request(format!(
            "At letter {} of `$filter` {what}",
            self.token_position()
        ))
    }

    /// The next token; [`Token::End`] again and again after the last one.
    pub(crate) fn next_token(&mut self) -> Result<Token<'t>, Fault> {
        let blank = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.at += blank;
        self.began = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        let single = match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '/' => Token::Slash,
            '\'' => return self.read_string(),
            '-' | '0'..='9' => return self.read_number_or_time(),
            'A'..='Z' | 'a'..='z' | '_' | '$' | '@' => return self.read_word(),
            _ => return Err(self.fault_at("stands something that has no meaning there.")),
        };
        self.at += 1;
        Ok(single)
    }

    fn read_string(&mut self) -> Result<Token<'t>, Fault> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut text = String::new();
        let mut letters = inside.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                '\'' => {
                    self.at += at + 2;
                    return Ok(Token::Literal(Literal::String(text)));
                }
                // PostgreSQL has no such text, and would refuse the statement.
                '\0' => return Err(self.fault_at("begins a text with a NUL character in it.")),
                letter => text.push(letter),
            }
        }
        Err(self.fault_at("begins a text that has no end; an apostrophe in it is written twice."))
    }

    fn read_word(&mut self) -> Result<Token<'t>, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.$@".contains(c)));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += word.len();
        if self.rest().starts_with('\'') {
            return Err(Fault::unsupported(
                "Literals with a word before their apostrophe, such as duration'P1D', are not offered in `$filter`.",
            ));
        }
        Ok(match word {
            "null" => Token::Literal(Literal::Null),
            "true" => Token::Literal(Literal::Boolean(true)),
            "false" => Token::Literal(Literal::Boolean(false)),
            "INF" => Token::Literal(Literal::Number(f64::INFINITY)),
            "NaN" => Token::Literal(Literal::Number(f64::NAN)),
            word => Token::Word(word),
        })
    }

    /// A number, a day or a moment.
    fn read_number_or_time(&mut self) -> Result<Token<'t>, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.:+-".contains(c)));
        let run = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += run.len();
        // A plus that a client left as it is has become a space on the way.
        let zone = self.rest().get(..6).filter(|zone| is_zone(zone));
        let literal = match zone {
            Some(zone) if run.contains('T') => {
                self.at += zone.len();
                parse_moment(&format!("{run}+{}", zone.trim_start()))
            }
            _ => parse_number_or_time(run),
        };
        literal.map(Token::Literal).ok_or_else(|| {
            self.fault_at("stands neither a number, nor a day such as 2025-03-01, nor a moment such as 2025-03-01T12:00:00Z.")
        })
    }
}

fn is_zone(text: &str) -> bool {
    matches!(text.as_bytes(), [b' ', hours @ .., b':', ten, one]
        if hours.iter().chain([ten, one]).all(u8::is_ascii_digit))
}

fn parse_number_or_time(run: &str) -> Option<Literal> {
    if run == "-INF" {
        return Some(Literal::Number(f64::NEG_INFINITY));
    }
    if is_number(run) {
        return run.parse().ok().map(Literal::Number);
    }
    let day = parse_day(run).map(Literal::Date);
    day.or_else(|| parse_moment(run))
}

/// A number as OData spells it; the parser of the standard library takes more.
fn is_number(run: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let run = run.strip_prefix('-').unwrap_or(run);
    let (number, exponent) = match run.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (run, None),
    };
    let exponent =
        exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    let number = match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(number),
    };
    exponent && number
}

/// A day as four, two and two digits.
fn parse_day(run: &str) -> Option<NaiveDate> {
    // chrono reads `2026-1-2` too, which OData does not have.
    let day = (run.len() == 10).then(|| NaiveDate::parse_from_str(run, "%Y-%m-%d").ok());
    day.flatten()
}

/// A moment with its zone. OData lets seconds be left out, RFC 3339 does not; a second 60 is none of OData's.
fn parse_moment(run: &str) -> Option<Literal> {
    let zone_at_16 = matches!(run.as_bytes().get(16), Some(b'Z' | b'+' | b'-'));
    let minutes = run.get(..16).filter(|_| zone_at_16);
    let whole = match minutes {
        Some(minutes) => format!("{minutes}:00{}", run.get(16..)?),
        None => run.to_owned(),
    };
    let at = DateTime::parse_from_rfc3339(&whole).ok()?;
    // chrono keeps a second 60 as more than a second's worth of nanoseconds.
    if at.nanosecond() >= 1_000_000_000 {
        return None;
    }
    Some(Literal::DateTime(at.with_timezone(&Utc)))
}
