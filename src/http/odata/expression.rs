//! A `$filter` as its words say it, and those words again; what they mean for a dataset is not said here.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::bi::model::filter::{Comparison, TextPosition};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `a and b`: two or more.
    All(Vec<Self>),
    /// `a or b`: two or more.
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Literal>),
    /// A column, and a text that is looked for in it.
    Has(String, TextPosition, String),
    /// A column that is true or false by itself.
    Column(String),
    Truth(bool),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Column(String),
    /// The year of a column.
    Year(String),
    Literal(Literal),
}

/// A value that was written down.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Truth(bool),
    Text(String),
    Number(f64),
    Day(NaiveDate),
    Moment(DateTime<Utc>),
}

/// How comparisons are spelled.
pub const SIGNS: &[(&str, Comparison)] = &[
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("lt", Comparison::Below),
    ("le", Comparison::AtMost),
    ("gt", Comparison::Above),
    ("ge", Comparison::AtLeast),
];

/// How a text is looked for.
pub const LOOKS: &[(&str, TextPosition)] = &[
    ("contains", TextPosition::Anywhere),
    ("startswith", TextPosition::Beginning),
    ("endswith", TextPosition::End),
];

fn spelled<T: PartialEq>(list: &[(&'static str, T)], wanted: T) -> &'static str {
    let mut list = list.iter();
    list.find(|(_, one)| *one == wanted)
        .map_or("", |(word, _)| word)
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare(left, how, right) => {
                write!(f, "{left} {} {right}", spelled(SIGNS, *how))
            }
            Self::In(left, literals) => {
                write!(f, "{left} in (")?;
                listed(f, literals)?;
                f.write_str(")")
            }
            Self::Has(column, position, text) => {
                let text = Literal::Text(text.clone());
                write!(f, "{}({column},{text})", spelled(LOOKS, *position))
            }
            Self::Column(name) => f.write_str(name),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        match part {
            Expression::All(_) | Expression::Any(_) => write!(f, "({part})")?,
            _ => part.fmt(f)?,
        }
    }
    Ok(())
}

/// Writes literals with commas between them.
pub fn listed(into: &mut impl fmt::Write, literals: &[Literal]) -> fmt::Result {
    for (at, literal) in literals.iter().enumerate() {
        write!(into, "{}{literal}", if at == 0 { "" } else { "," })?;
    }
    Ok(())
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => f.write_str(name),
            Self::Year(name) => write!(f, "year({name})"),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Truth(truth) => truth.fmt(f),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(number) if number.is_nan() => f.write_str("NaN"),
            Self::Number(number) if number.is_infinite() => {
                f.write_str(if *number > 0.0 { "INF" } else { "-INF" })
            }
            Self::Number(number) => number.fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Moment(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}
