//! Writes the statement of a query over its dataset's SQL: columns, filter, keyset, order, limit. The dataset's SQL has
//! the reader's scope in it already.

use sea_orm::{DbBackend, Statement};
use uuid::Uuid;

use crate::{
    access::Caller,
    bi::model::{
        cursor::RowKey,
        dataset::Column,
        filter::{Comparison, Filter},
        query::{DatasetQuery, SortDirection},
        value::Value,
    },
    error::Result,
    statement::SqlBuilder,
};

impl DatasetQuery {
    /// The statement of the query; none where no day is left to select.
    pub(in crate::bi) fn rows_statement(
        &self,
        caller: &Caller,
        backend: DbBackend,
    ) -> Result<Option<Statement>> {
        let columns = self.columns.iter().map(|column| column.name);
        let keys = self.dataset.order.iter();
        // The parts of the key come after the columns, even those that are columns: rows are read by position.
        let keys = keys
            .enumerate()
            .map(|(at, key)| format!("{} AS at_{at}", key.column));
        let selected: Vec<String> = columns.map(str::to_owned).chain(keys).collect();
        let Some(text) = self.begin_select(caller, backend, &selected.join(", "))? else {
            return Ok(None);
        };
        let text = self.filter.append_to_sql(text.then(" WHERE "));
        let text = self.append_resume_condition(text);
        let text = self.append_order(text);
        let text = match (self.limit, self.offset, backend) {
            // SQLite knows OFFSET only after LIMIT; -1 is none.
            (None, Some(_), DbBackend::Sqlite) => text.then(" LIMIT -1"),
            (None, ..) => text,
            (Some(limit), ..) => text.then(" LIMIT ").value(to_i64(limit)),
        };
        let text = match self.offset {
            Some(offset) => text.then(" OFFSET ").value(to_i64(offset)),
            None => text,
        };
        Ok(Some(text.statement()))
    }

    /// `WITH … SELECT … FROM (dataset) AS flat`.
    fn begin_select(
        &self,
        caller: &Caller,
        backend: DbBackend,
        selected: &str,
    ) -> Result<Option<SqlBuilder>> {
        let days = self.days_from_resume_point();
        // Before anything else: whoever may not pull is refused, also where there would be nothing to pull.
        let scope = self.scope(caller, backend, &days)?;
        let Some((with, rows)) = self.dataset.source.sql_fragments() else {
            return Ok(None);
        };
        if self.dataset.needs_days && days.is_empty() {
            return Ok(None);
        }
        let text = match with {
            Some(with) => with(SqlBuilder::new(backend, "WITH "), &scope).then(" "),
            None => SqlBuilder::new(backend, ""),
        };
        let text = text.then("SELECT ").then(selected).then(" FROM (");
        Ok(Some(rows(text, &scope).then(") AS flat")))
    }

    /// Appends the keyset condition: rows after the resume point, in the query's order. For an order by a and b:
    /// `AND (a > x OR a = x AND (b > y OR b = y AND (keys) > (…)))`; without an order: `AND (keys) > (…)`. One bracket
    /// per column is closed at the end.
    fn append_resume_condition(&self, text: SqlBuilder) -> SqlBuilder {
        let Some(RowKey(parts)) = &self.after else {
            return text;
        };
        let ordered = self.order.iter().zip(&self.after_values);
        let text = ordered.fold(text.then(" AND "), |text, ((column, way), value)| {
            // Column by column and not as one row comparison: directions differ, and NULL in a row comparison makes
            // it unknown.
            let beyond = after_value_filter(column, *way, value.as_ref());
            let text = beyond.append_to_sql(text.then("(")).then(" OR ");
            same_value_filter(column, value.as_ref())
                .append_to_sql(text)
                .then(" AND ")
        });
        let text = self.append_key_columns(text.then("(")).then(") > (");
        let parts = parts.iter().enumerate();
        parts
            .fold(text, |text, (at, part)| {
                text.then(if at == 0 { "" } else { ", " }).value(*part)
            })
            .then(")")
            .then(&")".repeat(self.order.len().min(self.after_values.len())))
    }

    fn append_order(&self, text: SqlBuilder) -> SqlBuilder {
        let text = self
            .order
            .iter()
            .fold(text.then(" ORDER BY "), |text, (column, way)| {
                // Said outright, since NULLs sort low on SQLite and high on PostgreSQL.
                let way = match way {
                    SortDirection::Ascending => "ASC NULLS FIRST",
                    SortDirection::Descending => "DESC NULLS LAST",
                };
                text.then(&format!("{} {way}, ", column.name))
            });
        self.append_key_columns(text)
    }

    fn append_key_columns(&self, text: SqlBuilder) -> SqlBuilder {
        let keys = self.dataset.order.iter().enumerate();
        keys.fold(text, |text, (at, key)| {
            let text = text.then(if at == 0 { "" } else { ", " });
            match key.nullable {
                // Nil instead of NULL: a row comparison with NULL is unknown, and such rows would be on no page.
                true => text
                    .then(&format!("COALESCE({}, ", key.column))
                    .value(Uuid::nil())
                    .then(")"),
                false => text.then(key.column),
            }
        })
    }

    /// The statement that counts the rows that pass the filter; none where no day is left to select.
    pub(in crate::bi) fn count_statement(
        &self,
        caller: &Caller,
        backend: DbBackend,
    ) -> Result<Option<Statement>> {
        let text = self.begin_select(caller, backend, "COUNT(*) AS rows")?;
        Ok(text.map(|text| self.filter.append_to_sql(text.then(" WHERE ")).statement()))
    }
}

/// Rows that come later by a column than one with this value. Empty cells come first ascending, last descending.
fn after_value_filter(
    column: &'static Column,
    way: SortDirection,
    value: Option<&Value>,
) -> Filter {
    let compared = |how, value: &Value| Filter::Compare(column, how, value.clone());
    match (way, value) {
        (SortDirection::Ascending, None) => Filter::Not(Box::new(Filter::Empty(column))),
        (SortDirection::Ascending, Some(value)) => compared(Comparison::Above, value),
        // Empty cells come last here: nothing comes after them by this column.
        (SortDirection::Descending, None) => Filter::Any(Vec::new()),
        (SortDirection::Descending, Some(value)) => Filter::Any(vec![
            compared(Comparison::Below, value),
            Filter::Empty(column),
        ]),
    }
}

/// Rows with the same value in a column.
fn same_value_filter(column: &'static Column, value: Option<&Value>) -> Filter {
    match value {
        None => Filter::Empty(column),
        Some(value) => Filter::Compare(column, Comparison::Equal, value.clone()),
    }
}

fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
