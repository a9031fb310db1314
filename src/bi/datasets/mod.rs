//! The datasets, each with its columns and its source. What a source selects is what may be seen, and it selects every
//! column whether that is asked for or not: the database leaves out what nobody reads.

pub mod facts;
pub mod feedback;
mod field_column;
pub mod findings;
pub mod journey;
pub mod kpis;
pub mod organisation;
pub mod series;
pub mod time;

/// Columns, one a line: `name: type, "what it holds";`, with `empty` behind the name where a cell may be empty.
macro_rules! columns {
    ($($name:ident $($empty:ident)?: $of:expr, $description:literal;)*) => {
        &[$(columns!(@ $name $($empty)?, $of, $description)),*]
    };
    (@ $name:ident, $of:expr, $description:literal) => {
        crate::bi::model::dataset::Column::new(stringify!($name), $of, $description)
    };
    (@ $name:ident empty, $of:expr, $description:literal) => {
        crate::bi::model::dataset::Column::or_empty(stringify!($name), $of, $description)
    };
}
use columns;

/// Filters with a short name: `name = column`.
macro_rules! filters {
    ($($name:ident = $column:ident),*) => {
        &[$(crate::bi::model::dataset::NamedFilter { name: stringify!($name), column: stringify!($column) }),*]
    };
}
use filters;

/// The order of a dataset, part by part.
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

use super::scope::Scope;
use crate::{access::Guarded, statement::Text};

/// Goes on with the rows of a table that may be seen, by the table's own name.
fn seen<E: Guarded>(text: Text, scope: &Scope<'_>, table: &str) -> Text {
    text.then("(")
        .select(&scope.seen::<E>())
        .then(&format!(") AS {table}"))
}
