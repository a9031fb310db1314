//! `$skiptoken`: where a page ended, so that the next one goes on behind it however rows have come and gone. In the
//! dataset's own order it is the cursor that every face has; in another one, what the row has in the columns that are
//! ordered by stands behind it.

use super::{
    expression::{Literal, listed},
    grammar,
    meaning::value,
};
use crate::{
    bi::{
        filter::Value,
        query::{Direction, Place},
        registry::{Column, Dataset},
        row::Cell,
    },
    page,
};

/// Stands between the cursor and the rest; a cursor has no such letter.
const BETWEEN: char = '.';

/// The token of a place.
#[must_use]
pub fn write(place: &Place, held: &[Literal]) -> String {
    let cursor = place.cursor();
    if held.is_empty() {
        return cursor;
    }
    let mut text = String::new();
    // Writing into a text does not fail.
    listed(&mut text, held).ok();
    format!("{cursor}{BETWEEN}{}", page::encode(&[text.as_bytes()]))
}

/// The place of a token that some earlier page gave, and what its row has in the columns that are ordered by.
#[must_use]
pub fn read(
    dataset: &Dataset,
    order: &[(&'static Column, Direction)],
    token: &str,
) -> Option<(Place, Vec<Option<Value>>)> {
    let (cursor, rest) = match token.split_once(BETWEEN) {
        Some((cursor, rest)) => (cursor, Some(rest)),
        None => (token, None),
    };
    let place = Place::read(dataset, cursor).ok()?;
    let held = match rest {
        None => Vec::new(),
        Some(rest) => {
            let text = String::from_utf8(page::decode(rest).ok()?).ok()?;
            grammar::literals(&text)?
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
pub fn literal(cell: Cell<'_>) -> Literal {
    match cell {
        Cell::Empty => Literal::Null,
        Cell::Id(prefix, id) => Literal::Text(format!("{prefix}_{}", id.simple())),
        Cell::Text(text) => Literal::Text(text.to_owned()),
        Cell::Day(day) => Literal::Day(day),
        Cell::Instant(at) => Literal::Moment(at),
        Cell::Integer(number) => Literal::Number(number.into()),
        Cell::Number(number) => Literal::Number(number),
        Cell::Boolean(truth) => Literal::Truth(truth),
    }
}
