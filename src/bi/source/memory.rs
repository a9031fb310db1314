//! Filters, orders and pages computed rows as the database does its own.

use std::cmp::Ordering;

use crate::bi::{
    model::{
        cursor::RowKey,
        dataset::Column,
        query::{DatasetQuery, SortDirection},
        value::{Value, ValueRef},
    },
    source::row::RowContent,
};

/// A computed row with the cells of all columns of its dataset.
pub struct ComputedRow {
    /// Its cells, in the order of the dataset's columns.
    pub cells: Vec<Value>,
    pub key: RowKey,
}

impl ComputedRow {
    fn cell(&self, query: &DatasetQuery, column: &Column) -> ValueRef<'_> {
        let at = query.dataset.column_index(column);
        at.and_then(|at| self.cells.get(at))
            .map_or(ValueRef::Empty, Value::as_ref)
    }

    /// Whether it passes the query's filter.
    #[must_use]
    pub fn passes(&self, query: &DatasetQuery) -> bool {
        query
            .filter
            .passes(&|column: &Column| self.cell(query, column))
    }

    /// Whether it comes after the query's resume point, in the query's order.
    #[must_use]
    pub fn is_after_resume_point(&self, query: &DatasetQuery) -> bool {
        let Some(after) = &query.after else {
            return true;
        };
        let ordered = query.order.iter().zip(&query.after_values);
        let ordered = ordered.map(|((column, way), value)| {
            let value = value.as_ref().map_or(ValueRef::Empty, Value::as_ref);
            apply_direction(compare_cells(&self.cell(query, column), &value), *way)
        });
        let order = ordered.fold(Ordering::Equal, Ordering::then);
        order.then_with(|| self.key.cmp(after)).is_gt()
    }

    /// The row with the columns that the query selects.
    #[must_use]
    pub(in crate::bi) fn select_columns(self, query: &DatasetQuery) -> RowContent {
        let cells = query.columns.iter().map(|column| {
            let at = query.dataset.column_index(column);
            let cell = at.and_then(|at| self.cells.get(at));
            cell.cloned().unwrap_or(Value::Empty)
        });
        RowContent::Computed(cells.collect(), self.key)
    }
}

/// Sorts rows by the query's order and cuts them at its resume point, offset and limit.
#[must_use]
pub(in crate::bi) fn sort_and_limit(
    mut rows: Vec<ComputedRow>,
    query: &DatasetQuery,
) -> Vec<RowContent> {
    rows.sort_by(|one, other| {
        let columns = query.order.iter().map(|(column, way)| {
            apply_direction(
                compare_cells(&one.cell(query, column), &other.cell(query, column)),
                *way,
            )
        });
        let order = columns.fold(Ordering::Equal, Ordering::then);
        order.then_with(|| one.key.cmp(&other.key))
    });
    // Before the offset, as in SQL, where the keyset condition stands in WHERE.
    rows.retain(|row| row.is_after_resume_point(query));
    let rows = rows.into_iter().skip(query.row_offset());
    let rows = rows.take(query.row_limit());
    rows.map(|row| row.select_columns(query)).collect()
}

fn apply_direction(order: Ordering, way: SortDirection) -> Ordering {
    match way {
        SortDirection::Ascending => order,
        SortDirection::Descending => order.reverse(),
    }
}

/// The order of two cells of one column. Empty ones come first, as NULLs do on both databases (see `append_order` in
/// `sql`); NaN comes last.
fn compare_cells(one: &ValueRef<'_>, other: &ValueRef<'_>) -> Ordering {
    match (one, other) {
        (ValueRef::Id(_, one), ValueRef::Id(_, other)) => one.cmp(other),
        (ValueRef::Text(one), ValueRef::Text(other)) => one.cmp(other),
        (ValueRef::Day(one), ValueRef::Day(other)) => one.cmp(other),
        (ValueRef::Instant(one), ValueRef::Instant(other)) => one.cmp(other),
        (ValueRef::Integer(one), ValueRef::Integer(other)) => one.cmp(other),
        // A total order, which sorting needs: with `partial_cmp` a NaN would have no place.
        (ValueRef::Number(one), ValueRef::Number(other)) => one.total_cmp(other),
        (ValueRef::Boolean(one), ValueRef::Boolean(other)) => one.cmp(other),
        (ValueRef::Empty, ValueRef::Empty) => Ordering::Equal,
        (ValueRef::Empty, _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}
