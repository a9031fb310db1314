//! `$skiptoken`: the position after the last row of a page, so that the next page goes on there however rows have come
//! and gone. In the dataset's own order it is the cursor of every face; with `$orderby`, the row's values in those
//! columns follow it.

use odata_filter::{Literal, parse_literals, write_literals};

use super::bind::literal_to_column_value;
use crate::{
    bi::{
        model::dataset::{Column, Dataset},
        model::query::{RowKey, SortDirection},
        model::value::Value,
        model::value::ValueRef,
    },
    page,
};

/// Separates the cursor from the values; a cursor has no such letter.
const BETWEEN: char = '.';

/// The token of the row with this key and these values in the columns of `$orderby`.
#[must_use]
pub fn encode_skiptoken(place: &RowKey, held: &[Literal]) -> String {
    let cursor = place.encode();
    if held.is_empty() {
        return cursor;
    }
    let mut text = String::new();
    // Writing into a text does not fail.
    write_literals(&mut text, held).ok();
    format!(
        "{cursor}{BETWEEN}{}",
        page::encode_cursor(&[text.as_bytes()])
    )
}

/// The key and the values of a token; nothing where no page with this order can have given it.
#[must_use]
pub fn decode_skiptoken(
    dataset: &Dataset,
    order: &[(&'static Column, SortDirection)],
    token: &str,
) -> Option<(RowKey, Vec<Option<Value>>)> {
    let (cursor, rest) = match token.split_once(BETWEEN) {
        Some((cursor, rest)) => (cursor, Some(rest)),
        None => (token, None),
    };
    let place = RowKey::decode(dataset, cursor).ok()?;
    let held = match rest {
        None => Vec::new(),
        Some(rest) => {
            let text = String::from_utf8(page::decode_cursor(rest).ok()?).ok()?;
            parse_literals(&text)?
        }
    };
    // A token of a page with another `$orderby`: its values would be compared with other columns.
    if held.len() != order.len() {
        return None;
    }
    let held = order
        .iter()
        .zip(&held)
        .map(|((column, _), literal)| literal_to_column_value(column, literal));
    Some((place, held.collect::<Option<_>>()?))
}

/// A cell as a literal.
#[must_use]
pub fn cell_to_literal(cell: ValueRef<'_>) -> Literal {
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
