//! Rows that are computed: filtered, ordered and cut here, as the database does it for those that it selects.

use std::cmp::Ordering;

use super::{
    filter::Value,
    query::{Direction, Place, Query},
    registry::Column,
    row::{Cell, Held, Own},
};

/// One row, whole.
pub struct Computed {
    /// Its cells, in the order of the dataset's columns.
    pub cells: Vec<Own>,
    pub place: Place,
}

impl Computed {
    fn cell(&self, query: &Query, column: &Column) -> Cell<'_> {
        let at = query.dataset.position(column);
        at.and_then(|at| self.cells.get(at))
            .map_or(Cell::Empty, Own::lend)
    }

    /// Whether it is asked for.
    #[must_use]
    pub fn passes(&self, query: &Query) -> bool {
        query
            .filter
            .passes(&|column: &Column| self.cell(query, column))
    }

    /// Whether it comes later than the place behind which rows are asked for.
    #[must_use]
    pub fn is_behind(&self, query: &Query) -> bool {
        let Some(after) = &query.after else {
            return true;
        };
        let ordered = query.order.iter().zip(&query.held);
        let ordered = ordered.map(|((column, way), held)| {
            let held = held.as_ref().map_or(Cell::Empty, value);
            turned(order(&self.cell(query, column), &held), *way)
        });
        let order = ordered.fold(Ordering::Equal, Ordering::then);
        order.then_with(|| self.place.cmp(after)).is_gt()
    }

    /// The columns of it that are asked for.
    #[must_use]
    pub(super) fn chosen(self, query: &Query) -> Held {
        let cells = query.columns.iter().map(|column| {
            let at = query.dataset.position(column);
            let cell = at.and_then(|at| self.cells.get(at));
            cell.cloned().unwrap_or(Own::Empty)
        });
        Held::Computed(cells.collect(), self.place)
    }
}

/// Rows that pass, in the order that is asked for, from the place on that is asked for and as many as are.
#[must_use]
pub(super) fn ordered(mut rows: Vec<Computed>, query: &Query) -> Vec<Held> {
    rows.sort_by(|one, other| {
        let columns = query.order.iter().map(|(column, way)| {
            turned(
                order(&one.cell(query, column), &other.cell(query, column)),
                *way,
            )
        });
        let order = columns.fold(Ordering::Equal, Ordering::then);
        order.then_with(|| one.place.cmp(&other.place))
    });
    rows.retain(|row| row.is_behind(query));
    let offset = usize::try_from(query.offset.unwrap_or_default()).unwrap_or(usize::MAX);
    let limit = usize::try_from(query.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let rows = rows.into_iter().skip(offset).take(limit);
    rows.map(|row| row.chosen(query)).collect()
}

fn turned(order: Ordering, way: Direction) -> Ordering {
    match way {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

/// How two cells of one column stand to one another; what is empty comes first.
fn order(one: &Cell<'_>, other: &Cell<'_>) -> Ordering {
    match (one, other) {
        (Cell::Id(_, one), Cell::Id(_, other)) => one.cmp(other),
        (Cell::Text(one), Cell::Text(other)) => one.cmp(other),
        (Cell::Day(one), Cell::Day(other)) => one.cmp(other),
        (Cell::Instant(one), Cell::Instant(other)) => one.cmp(other),
        (Cell::Integer(one), Cell::Integer(other)) => one.cmp(other),
        (Cell::Number(one), Cell::Number(other)) => one.total_cmp(other),
        (Cell::Boolean(one), Cell::Boolean(other)) => one.cmp(other),
        (Cell::Empty, Cell::Empty) => Ordering::Equal,
        (Cell::Empty, _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

fn value(value: &Value) -> Cell<'_> {
    match value {
        // Only the id itself is compared.
        Value::Id(id) => Cell::Id("", *id),
        Value::Text(text) => Cell::Text(text),
        Value::Day(day) => Cell::Day(*day),
        Value::Instant(at) => Cell::Instant(*at),
        Value::Integer(number) => Cell::Integer(*number),
        Value::Number(number) => Cell::Number(*number),
        Value::Boolean(truth) => Cell::Boolean(*truth),
    }
}
