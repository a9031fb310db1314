//! Values of cells as values of the API.

use async_graphql::ID;
use entity::words::{Aggregation, Direction, KpiState, Role, Stage, Unit};

use super::model::value::Value;
use crate::{
    error::{Error, Result},
    scalar::Date,
};

/// A type of the API that a value can have.
pub(super) trait FromValue: Sized {
    /// The value as this type; none where it is of another.
    fn from_value(value: Value) -> Option<Self>;
}

/// The next of a row's values, as the API's type of its column.
///
/// # Errors
/// The value is of another type: the row does not have the columns that were expected of it.
pub(super) fn next_value<T: FromValue>(values: &mut impl Iterator<Item = Value>) -> Result<T> {
    let value = values.next().and_then(T::from_value);
    value.ok_or_else(|| Error::internal("a value that is not of its column's type"))
}

/// The description of a column in the API: its own where it has one there, else that of the dataset.
macro_rules! api_description {
    ($description:literal) => {
        $description
    };
    ($dataset:literal, $api:literal) => {
        $api
    };
}
pub(super) use api_description;

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Empty => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for ID {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Id(prefix, id) => Some(Self(format!("{prefix}_{}", id.simple()))),
            Value::Text(text) => Some(Self(text)),
            _ => None,
        }
    }
}

/// Types that one variant of [`Value`] holds.
macro_rules! variants {
    ($($variant:ident => $of:ty, |$value:ident| $made:expr;)*) => {
        $(impl FromValue for $of {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant($value) => $made,
                    _ => None,
                }
            }
        })*
    };
}

variants! {
    Text => String, |text| Some(text);
    Day => Date, |day| Some(Self(day));
    Integer => i32, |number| Some(number);
    Number => f64, |number| Some(number);
    Boolean => bool, |truth| Some(truth);
    Text => Aggregation, |word| Self::from_name(&word);
    Text => Direction, |word| Self::from_name(&word);
    Text => KpiState, |word| Self::from_name(&word);
    Text => Role, |word| Self::from_name(&word);
    Text => Stage, |word| Self::from_name(&word);
    Text => Unit, |word| Self::from_name(&word);
}
