//! `$skiptoken`: where a page ended, so that the next one goes on behind it however rows have come and gone. In the
//! dataset's own order it is the cursor that every face has; in another one, what the row has in the columns that are
//! ordered by stands behind it.

use odata_filter::{Literal, parse_literals, write_literals};

use super::bind::value;
use crate::{
    bi::{
        model::dataset::{Column, Dataset},
        model::query::{RowKey, SortDirection},
        model::value::Value,
        model::value::ValueRef,
    },
    page,
};

/// Stands between the cursor and the rest; a cursor has no such letter.
const BETWEEN: char = '.';

/// The token of a place.
#[must_use]
pub fn write(place: &RowKey, held: &[Literal]) -> String {
    let cursor = place.cursor();
    if held.is_empty() {
        return cursor;
    }
    let mut text = String::new();
    // Writing into a text does not fail.
    write_literals(&mut text, held).ok();
    format!("{cursor}{BETWEEN}{}", page::encode(&[text.as_bytes()]))
}

/// The place of a token that some earlier page gave, and what its row has in the columns that are ordered by.
#[must_use]
pub fn read(
    dataset: &Dataset,
    order: &[(&'static Column, SortDirection)],
    token: &str,
) -> Option<(RowKey, Vec<Option<Value>>)> {
    let (cursor, rest) = match token.split_once(BETWEEN) {
        Some((cursor, rest)) => (cursor, Some(rest)),
        None => (token, None),
    };
    let place = RowKey::read(dataset, cursor).ok()?;
    let held = match rest {
        None => Vec::new(),
        Some(rest) => {
            let text = String::from_utf8(page::decode(rest).ok()?).ok()?;
            parse_literals(&text)?
        }
    };
    if held.len() != order.len() {
        return None;
    }
    let held = order
        .iter()
        .zip(&held)
        .map(|((column, _), literal)| value(column, literal));
    Some((place, held.collect::<Option<_>>()?))
}

/// What a cell is as a literal.
#[must_use]
pub fn literal(cell: ValueRef<'_>) -> Literal {
    match cell {
        ValueRef::Empty => Literal::Null,
        ValueRef::Id(prefix, id) => Literal::String(format!("{prefix}_{}", id.simple())),
        ValueRef::Text(text) => Literal::String(text.to_owned()),
        ValueRef::Day(day) => Literal::Date(day),
        ValueRef::Instant(at) => Literal::DateTime(at),
        ValueRef::Integer(number) => Literal::Number(number.into()),
        ValueRef::Number(number) => Literal::Number(number),
        ValueRef::Boolean(truth) => Literal::Boolean(truth),
    }
}
