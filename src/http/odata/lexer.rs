//! The words of a `$filter`, one after another. Whatever text it is given, it takes one look at each letter.

use chrono::{DateTime, NaiveDate, Utc};

use super::{expression::Literal, fault::Fault};
use crate::scalar::Date;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'t> {
    Open,
    Close,
    Comma,
    Slash,
    Word(&'t str),
    Literal(Literal),
    End,
}

/// Where one is in a text.
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where the last token began.
    began: usize,
}

impl<'t> Lexer<'t> {
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            began: 0,
        }
    }

    /// Where the last token began, for people: its letters are counted from one.
    #[must_use]
    pub fn place(&self) -> usize {
        let before = self.text.get(..self.began).unwrap_or_default();
        before.chars().count() + 1
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn bad(&self, what: &str) -> Fault {
        Fault::bad(format!("At letter {} of `$filter` {what}", self.place()))
    }

    /// The next token.
    pub fn token(&mut self) -> Result<Token<'t>, Fault> {
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
            '\'' => return self.quoted(),
            '-' | '0'..='9' => return self.figures(),
            'A'..='Z' | 'a'..='z' | '_' | '$' | '@' => return self.word(),
            _ => return Err(self.bad("stands something that has no meaning there.")),
        };
        self.at += 1;
        Ok(single)
    }

    fn quoted(&mut self) -> Result<Token<'t>, Fault> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut text = String::new();
        let mut letters = inside.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                '\'' => {
                    self.at += at + 2;
                    return Ok(Token::Literal(Literal::Text(text)));
                }
                // PostgreSQL cannot even read it.
                '\0' => return Err(self.bad("begins a text with a NUL character in it.")),
                letter => text.push(letter),
            }
        }
        Err(self.bad("begins a text that has no end; an apostrophe in it is written twice."))
    }

    fn word(&mut self) -> Result<Token<'t>, Fault> {
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
            "true" => Token::Literal(Literal::Truth(true)),
            "false" => Token::Literal(Literal::Truth(false)),
            "INF" => Token::Literal(Literal::Number(f64::INFINITY)),
            "NaN" => Token::Literal(Literal::Number(f64::NAN)),
            word => Token::Word(word),
        })
    }

    /// A number, a day or a moment.
    fn figures(&mut self) -> Result<Token<'t>, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.:+-".contains(c)));
        let run = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += run.len();
        // A plus that a client left as it is has become a space on the way.
        let zone = self.rest().get(..6).filter(|zone| is_zone(zone));
        let literal = match zone {
            Some(zone) if run.contains('T') => {
                self.at += zone.len();
                moment(&format!("{run}+{}", zone.trim_start()))
            }
            _ => figures(run),
        };
        literal.map(Token::Literal).ok_or_else(|| {
            self.bad("stands neither a number, nor a day such as 2025-03-01, nor a moment such as 2025-03-01T12:00:00Z.")
        })
    }
}

fn is_zone(text: &str) -> bool {
    matches!(text.as_bytes(), [b' ', hours @ .., b':', ten, one]
        if hours.iter().chain([ten, one]).all(u8::is_ascii_digit))
}

fn figures(run: &str) -> Option<Literal> {
    if run == "-INF" {
        return Some(Literal::Number(f64::NEG_INFINITY));
    }
    if is_number(run) {
        return run.parse().ok().map(Literal::Number);
    }
    let day = Date::read(run).map(|day| Literal::Day(NaiveDate::from(day)));
    day.or_else(|| moment(run))
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

/// A moment; seconds may be left out.
fn moment(run: &str) -> Option<Literal> {
    let zone_at_16 = matches!(run.as_bytes().get(16), Some(b'Z' | b'+' | b'-'));
    let minutes = run.get(..16).filter(|_| zone_at_16);
    let whole = match minutes {
        Some(minutes) => format!("{minutes}:00{}", run.get(16..)?),
        None => run.to_owned(),
    };
    let at = DateTime::parse_from_rfc3339(&whole).ok()?;
    Some(Literal::Moment(at.with_timezone(&Utc)))
}
