//! The value of one cell: owned, or borrowed from the row that holds it.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::Id;
use uuid::Uuid;

/// The value of a cell, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'r> {
    Empty,
    /// An id and its prefix.
    Id(&'static str, Uuid),
    /// A text or a word.
    Text(&'r str),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

/// The value of a cell of a computed row, or one that a filter compares cells with.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Empty,
    /// An id and its prefix.
    Id(&'static str, Uuid),
    /// A text or a word.
    Text(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

impl Value {
    /// Borrows the value.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Empty => ValueRef::Empty,
            Self::Id(prefix, id) => ValueRef::Id(prefix, *id),
            Self::Text(text) => ValueRef::Text(text),
            Self::Day(day) => ValueRef::Day(*day),
            Self::Instant(at) => ValueRef::Instant(*at),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Number(number) => ValueRef::Number(*number),
            Self::Boolean(truth) => ValueRef::Boolean(*truth),
        }
    }

    /// An id; empty where there is none.
    #[must_use]
    pub fn id<I: Id>(id: Option<I>) -> Self {
        id.map_or(Self::Empty, |id| Self::Id(I::PREFIX, id.uuid()))
    }

    /// A text or a word; empty where there is none.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    /// A number; empty where there is none.
    #[must_use]
    pub fn number(number: Option<f64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }

    /// A moment; empty where there is none.
    #[must_use]
    pub fn instant(at: Option<DateTime<Utc>>) -> Self {
        at.map_or(Self::Empty, Self::Instant)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Empty => Self::Empty,
            ValueRef::Id(prefix, id) => Self::Id(prefix, id),
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Day(day) => Self::Day(day),
            ValueRef::Instant(at) => Self::Instant(at),
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Number(number) => Self::Number(number),
            ValueRef::Boolean(truth) => Self::Boolean(truth),
        }
    }
}

/// The value as it is bound to a statement. The database has ids without their prefixes.
impl From<&Value> for sea_orm::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Empty => Self::String(None),
            Value::Id(_, id) => (*id).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Day(day) => (*day).into(),
            Value::Instant(at) => (*at).into(),
            Value::Integer(number) => (*number).into(),
            Value::Number(number) => (*number).into(),
            Value::Boolean(truth) => (*truth).into(),
        }
    }
}
