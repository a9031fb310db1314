//! One statement over a dataset's SQL: columns, filter, keyset, order, limit. What the reader may see is in the SQL
//! of the dataset already.

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
    statement::Text,
};

impl DatasetQuery {
    /// The statement; nothing where there is no day to ask about.
    pub(in crate::bi) fn statement(
        &self,
        caller: &Caller,
        backend: DbBackend,
    ) -> Result<Option<Statement>> {
        let columns = self.columns.iter().map(|column| column.name);
        let keys = self.dataset.order.iter();
        // The parts of the order come behind the columns, some of them a second time.
        let keys = keys
            .enumerate()
            .map(|(at, key)| format!("{} AS at_{at}", key.column));
        let told: Vec<String> = columns.map(str::to_owned).chain(keys).collect();
        let Some(text) = self.begin(caller, backend, &told.join(", "))? else {
            return Ok(None);
        };
        let text = self.filter.write(text.then(" WHERE "));
        let text = self.behind(text);
        let text = self.ordered(text);
        let text = match (self.limit, self.offset, backend) {
            // SQLite takes an offset only behind a limit.
            (None, Some(_), DbBackend::Sqlite) => text.then(" LIMIT -1"),
            (None, ..) => text,
            (Some(limit), ..) => text.then(" LIMIT ").value(signed(limit)),
        };
        let text = match self.offset {
            Some(offset) => text.then(" OFFSET ").value(signed(offset)),
            None => text,
        };
        Ok(Some(text.statement()))
    }

    /// The beginning of a statement, up to the source.
    fn begin(&self, caller: &Caller, backend: DbBackend, told: &str) -> Result<Option<Text>> {
        caller.require_somewhere(self.dataset.permission)?;
        let Some((with, rows)) = self.dataset.source.sql() else {
            return Ok(None);
        };
        let days = self.days_left();
        let scope = self.scope(caller, backend, &days)?;
        if self.dataset.needs_days && days.is_empty() {
            return Ok(None);
        }
        let text = match with {
            Some(with) => with(Text::new(backend, "WITH "), &scope).then(" "),
            None => Text::new(backend, ""),
        };
        let text = text.then("SELECT ").then(told).then(" FROM (");
        Ok(Some(rows(text, &scope).then(") AS flat")))
    }

    /// Only rows behind the place.
    fn behind(&self, text: Text) -> Text {
        let Some(RowKey(parts)) = &self.after else {
            return text;
        };
        let ordered = self.order.iter().zip(&self.after_values);
        let text = ordered.fold(text.then(" AND "), |text, ((column, way), held)| {
            let beyond = beyond(column, *way, held.as_ref());
            let text = beyond.write(text.then("(")).then(" OR ");
            same(column, held.as_ref()).write(text).then(" AND ")
        });
        let text = self.keys(text.then("(")).then(") > (");
        let parts = parts.iter().enumerate();
        parts
            .fold(text, |text, (at, part)| {
                text.then(if at == 0 { "" } else { ", " }).value(*part)
            })
            .then(")")
            .then(&")".repeat(self.order.len().min(self.after_values.len())))
    }

    fn ordered(&self, text: Text) -> Text {
        let text = self
            .order
            .iter()
            .fold(text.then(" ORDER BY "), |text, (column, way)| {
                // What is empty comes first going up and last going down, on both databases.
                let way = match way {
                    SortDirection::Ascending => "ASC NULLS FIRST",
                    SortDirection::Descending => "DESC NULLS LAST",
                };
                text.then(&format!("{} {way}, ", column.name))
            });
        self.keys(text)
    }

    fn keys(&self, text: Text) -> Text {
        let keys = self.dataset.order.iter().enumerate();
        keys.fold(text, |text, (at, key)| {
            let text = text.then(if at == 0 { "" } else { ", " });
            match key.nullable {
                true => text
                    .then(&format!("COALESCE({}, ", key.column))
                    .value(Uuid::nil())
                    .then(")"),
                false => text.then(key.column),
            }
        })
    }

    /// The statement that counts the rows, whatever the limit and the place; nothing where there is no day to ask about.
    pub(in crate::bi) fn count_statement(
        &self,
        caller: &Caller,
        backend: DbBackend,
    ) -> Result<Option<Statement>> {
        let text = self.begin(caller, backend, "COUNT(*) AS rows")?;
        Ok(text.map(|text| self.filter.write(text.then(" WHERE ")).statement()))
    }
}

/// Rows that come later than one that has this in a column. What is empty comes first going up and last going down.
fn beyond(column: &'static Column, way: SortDirection, held: Option<&Value>) -> Filter {
    let compared = |how, value: &Value| Filter::Compare(column, how, value.clone());
    match (way, held) {
        (SortDirection::Ascending, None) => Filter::Not(Box::new(Filter::Empty(column))),
        (SortDirection::Ascending, Some(held)) => compared(Comparison::Above, held),
        (SortDirection::Descending, None) => Filter::Any(Vec::new()),
        (SortDirection::Descending, Some(held)) => Filter::Any(vec![
            compared(Comparison::Below, held),
            Filter::Empty(column),
        ]),
    }
}

/// Rows that have the same in a column.
fn same(column: &'static Column, held: Option<&Value>) -> Filter {
    match held {
        None => Filter::Empty(column),
        Some(held) => Filter::Compare(column, Comparison::Equal, held.clone()),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
