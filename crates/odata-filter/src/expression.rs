//! The tree of a `$filter`, and its text again: what is written reads back as the same tree.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `a and b`: two or more.
    And(Vec<Self>),
    /// `a or b`: two or more.
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare(Operand, ComparisonOperator, Operand),
    In(Operand, Vec<Literal>),
    /// `contains(property,'text')` and its like; of a property or its text in one case.
    Text(TextFunction, Operand, String),
    /// `(condition) eq true`: never null, as a condition may be.
    Is(Box<Self>, bool),
    /// A property that is true or false by itself.
    Property(String),
    Boolean(bool),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Property(String),
    /// `year(property)` and its like.
    Function(PropertyFunction, String),
    Literal(Literal),
}

impl Operand {
    /// Whether it is a property, or its text in one case.
    pub(crate) const fn is_text(&self) -> bool {
        match self {
            Self::Property(_) => true,
            Self::Function(function, _) => function.is_case(),
            Self::Literal(_) => false,
        }
    }
}

/// A value as it was written down. Whole numbers are numbers too: literals have no width.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Null,
    Boolean(bool),
    String(String),
    Number(f64),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
}

/// The operators between two operands, by OData's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonOperator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The functions of one property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyFunction {
    Year,
    Month,
    Day,
    Date,
    Length,
    ToLower,
    ToUpper,
}

impl PropertyFunction {
    pub const ALL: [Self; 7] = [
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Date,
        Self::Length,
        Self::ToLower,
        Self::ToUpper,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Date => "date",
            Self::Length => "length",
            Self::ToLower => "tolower",
            Self::ToUpper => "toupper",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether it gives a text in one case.
    pub(crate) const fn is_case(self) -> bool {
        matches!(self, Self::ToLower | Self::ToUpper)
    }
}

/// The functions that look for one text in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFunction {
    Contains,
    StartsWith,
    EndsWith,
}

impl ComparisonOperator {
    pub const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl TextFunction {
    pub const ALL: [Self; 3] = [Self::Contains, Self::StartsWith, Self::EndsWith];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => write_chain(f, parts, " and "),
            Self::Or(parts) => write_chain(f, parts, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Is(inner, truth) => write!(f, "({inner}) eq {truth}"),
            Self::Compare(left, operator, right) => {
                write!(f, "{left} {} {right}", operator.as_str())
            }
            Self::In(left, literals) => {
                write!(f, "{left} in (")?;
                write_literals(f, literals)?;
                f.write_str(")")
            }
            Self::Text(function, property, text) => {
                let text = Literal::String(text.clone());
                write!(f, "{}({property},{text})", function.as_str())
            }
            Self::Property(name) => f.write_str(name),
            Self::Boolean(truth) => truth.fmt(f),
        }
    }
}

fn write_chain(f: &mut Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        match part {
            // An `and` in an `and` keeps its brackets, or it would read back as one flat chain.
            Expression::And(_) | Expression::Or(_) => write!(f, "({part})")?,
            _ => part.fmt(f)?,
        }
    }
    Ok(())
}

/// Writes literals with commas between them, as [`parse_literals`](crate::parse_literals) reads them.
///
/// # Errors
/// Those of writing into `out`; a `String` has none.
pub fn write_literals(out: &mut impl fmt::Write, literals: &[Literal]) -> fmt::Result {
    for (at, literal) in literals.iter().enumerate() {
        write!(out, "{}{literal}", if at == 0 { "" } else { "," })?;
    }
    Ok(())
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(name) => f.write_str(name),
            Self::Function(function, name) => write!(f, "{}({name})", function.as_str()),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(truth) => truth.fmt(f),
            Self::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
            // Rust spells these two as `inf` and `NaN`.
            Self::Number(number) if number.is_nan() => f.write_str("NaN"),
            Self::Number(number) if number.is_infinite() => {
                f.write_str(if *number > 0.0 { "INF" } else { "-INF" })
            }
            Self::Number(number) => number.fmt(f),
            Self::Date(day) => day.fmt(f),
            Self::DateTime(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}
