//! The datasets, each with its columns and where its rows come from. SQL selects only what the reader may see, and
//! every column whether a pull wants it or not: both databases leave out of a subquery what nobody reads.

pub mod current;
pub mod dimensions;
pub mod fact_columns;
pub mod facts;
pub mod feedback;
mod field_column;
pub mod findings;
pub mod insights;
pub mod journey;
pub mod kpis;
pub mod organisation;
pub mod series;
pub mod series_columns;
pub mod time;

/// Columns, one a row: `name [empty]: type [=> SQL], "description";`. Cells of columns marked `empty` may be empty. The
/// SQL is an expression, or in parentheses a function that makes one; rows of columns without it are computed.
macro_rules! columns {
    ($($name:ident $($empty:ident)?: $of:expr $(=> $sql:tt)?, $description:literal;)*) => {
        &[$(columns!(@row $name $($empty)?: $of $(=> $sql)?, $description)),*]
    };
    (@row $name:ident $($empty:ident)?: $of:expr $(=> $sql:tt)?, $description:literal) => {
        columns!(@column $name $($empty)?, $of, $description)$(.with_sql(columns!(@sql $sql)))?
    };
    (@column $name:ident, $of:expr, $description:literal) => {
        crate::bi::model::dataset::Column::new(stringify!($name), $of, $description)
    };
    (@column $name:ident empty, $of:expr, $description:literal) => {
        crate::bi::model::dataset::Column::nullable(stringify!($name), $of, $description)
    };
    (@sql $expression:literal) => {
        crate::bi::model::dataset::ColumnSql::Expression($expression)
    };
    (@sql ($function:path)) => {
        crate::bi::model::dataset::ColumnSql::Generated($function)
    };
}
use columns;

/// The columns of a dataset whose rows are computed, one a row: `name [empty]: type => cell, "description";`. The cell
/// is a closure that makes it from what the row is computed from. Gives the columns, and a function that makes the
/// cells of a row in their order.
macro_rules! computed_columns {
    ($row:ty; $($name:ident $($empty:ident)?: $of:expr => $cell:expr, $description:literal;)*) => {
        const COLUMNS: &[crate::bi::model::dataset::Column] =
            columns![$($name $($empty)?: $of, $description;)*];

        /// The cells of a row, in the order of the columns.
        pub(in crate::bi) fn cells_of_row(row: &$row) -> Vec<crate::bi::model::value::Value> {
            vec![$(crate::bi::datasets::make_cell(row, $cell)),*]
        }
    };
}
use computed_columns;

/// Calls the closure of a column; only as an argument here does it learn the type of its row.
fn make_cell<R>(row: &R, cell: impl FnOnce(&R) -> Value) -> Value {
    cell(row)
}

/// Filters under a short name: `name = column`.
macro_rules! filters {
    ($($name:ident = $column:ident),*) => {
        &[$(crate::bi::model::dataset::NamedFilter { name: stringify!($name), column: stringify!($column) }),*]
    };
}
use filters;

/// The order of a dataset, part by part: `type column [empty]`.
macro_rules! order {
    ($($part:ident $column:ident $($empty:ident)?),*) => {
        &[$(crate::bi::model::dataset::OrderKey {
            column: stringify!($column),
            of: crate::bi::model::dataset::KeyType::$part,
            nullable: order!(@ $($empty)?),
        }),*]
    };
    (@) => { false };
    (@ empty) => { true };
}
use order;

use super::{model::value::Value, scope::ReaderScope};
use crate::{access::Guarded, judgement::warning_sql, statement::SqlBuilder};

/// Appends the rows of a table that may be seen, under the table's own name.
fn append_visible_rows<E: Guarded>(
    text: SqlBuilder,
    scope: &ReaderScope<'_>,
    table: &str,
) -> SqlBuilder {
    text.then("(")
        .select(&scope.select_visible::<E>())
        .then(&format!(") AS {table}"))
}

/// The SQL of the warning level of the target that a row was joined with.
fn warning_level_sql(_: &ReaderScope<'_>) -> String {
    warning_sql!("target").to_owned()
}
