//! The value of one cell: owned, or lent by the row that holds it.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::Id;
use uuid::Uuid;

/// What stands in one cell.
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

/// What stands in one cell of a row that was computed.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnValue {
    Empty,
    Id(&'static str, Uuid),
    Text(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

impl OwnValue {
    /// An id, or nothing.
    #[must_use]
    pub fn id<I: Id>(id: Option<I>) -> Self {
        id.map_or(Self::Empty, |id| Self::Id(I::PREFIX, id.uuid()))
    }

    /// The cell.
    #[must_use]
    pub fn lend(&self) -> ValueRef<'_> {
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
}

/// A value that cells are compared with; of the column's type, or a number where that is a whole one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Id(Uuid),
    Text(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

impl From<&Value> for sea_orm::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Id(id) => (*id).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Day(day) => (*day).into(),
            Value::Instant(at) => (*at).into(),
            Value::Integer(number) => (*number).into(),
            Value::Number(number) => (*number).into(),
            Value::Boolean(truth) => (*truth).into(),
        }
    }
}
