//! Rows that are computed: filtered, ordered and cut here, as the database does it for those that it selects.

use std::cmp::Ordering;

use crate::bi::{
    model::{
        cursor::RowKey,
        dataset::Column,
        query::{DatasetQuery, SortDirection},
        value::{OwnValue, Value, ValueRef},
    },
    source::row::RowData,
};

/// One row, whole.
pub struct ComputedRow {
    /// Its cells, in the order of the dataset's columns.
    pub cells: Vec<OwnValue>,
    pub place: RowKey,
}

impl ComputedRow {
    fn cell(&self, query: &DatasetQuery, column: &Column) -> ValueRef<'_> {
        let at = query.dataset.position(column);
        at.and_then(|at| self.cells.get(at))
            .map_or(ValueRef::Empty, OwnValue::lend)
    }

    /// Whether it is asked for.
    #[must_use]
    pub fn passes(&self, query: &DatasetQuery) -> bool {
        query
            .filter
            .passes(&|column: &Column| self.cell(query, column))
    }

    /// Whether it comes later than the place behind which rows are asked for.
    #[must_use]
    pub fn is_behind(&self, query: &DatasetQuery) -> bool {
        let Some(after) = &query.after else {
            return true;
        };
        let ordered = query.order.iter().zip(&query.held);
        let ordered = ordered.map(|((column, way), held)| {
            let held = held.as_ref().map_or(ValueRef::Empty, value);
            turned(order(&self.cell(query, column), &held), *way)
        });
        let order = ordered.fold(Ordering::Equal, Ordering::then);
        order.then_with(|| self.place.cmp(after)).is_gt()
    }

    /// The columns of it that are asked for.
    #[must_use]
    pub(in crate::bi) fn chosen(self, query: &DatasetQuery) -> RowData {
        let cells = query.columns.iter().map(|column| {
            let at = query.dataset.position(column);
            let cell = at.and_then(|at| self.cells.get(at));
            cell.cloned().unwrap_or(OwnValue::Empty)
        });
        RowData::Computed(cells.collect(), self.place)
    }
}

/// Rows that pass, in the order that is asked for, from the place on that is asked for and as many as are.
#[must_use]
pub(in crate::bi) fn ordered(mut rows: Vec<ComputedRow>, query: &DatasetQuery) -> Vec<RowData> {
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

fn turned(order: Ordering, way: SortDirection) -> Ordering {
    match way {
        SortDirection::Ascending => order,
        SortDirection::Descending => order.reverse(),
    }
}

/// How two cells of one column stand to one another; what is empty comes first.
fn order(one: &ValueRef<'_>, other: &ValueRef<'_>) -> Ordering {
    match (one, other) {
        (ValueRef::Id(_, one), ValueRef::Id(_, other)) => one.cmp(other),
        (ValueRef::Text(one), ValueRef::Text(other)) => one.cmp(other),
        (ValueRef::Day(one), ValueRef::Day(other)) => one.cmp(other),
        (ValueRef::Instant(one), ValueRef::Instant(other)) => one.cmp(other),
        (ValueRef::Integer(one), ValueRef::Integer(other)) => one.cmp(other),
        (ValueRef::Number(one), ValueRef::Number(other)) => one.total_cmp(other),
        (ValueRef::Boolean(one), ValueRef::Boolean(other)) => one.cmp(other),
        (ValueRef::Empty, ValueRef::Empty) => Ordering::Equal,
        (ValueRef::Empty, _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

fn value(value: &Value) -> ValueRef<'_> {
    match value {
        // Only the id itself is compared.
        Value::Id(id) => ValueRef::Id("", *id),
        Value::Text(text) => ValueRef::Text(text),
        Value::Day(day) => ValueRef::Day(*day),
        Value::Instant(at) => ValueRef::Instant(*at),
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Number(number) => ValueRef::Number(*number),
        Value::Boolean(truth) => ValueRef::Boolean(*truth),
    }
}
