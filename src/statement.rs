//! Builds one SQL statement from written SQL and from sea-query selects that carry an access scope, with the
//! placeholders of both numbered consecutively; or with the values written out, for views. It runs nothing.
//!
//! ```text
//! Text::new(backend, "SELECT id FROM kpi WHERE id IN (").select(&readable).then(") AND owner = ").value(owner)
//! ```
//!
//! sea-query alone would do for selects, but not for recursive CTEs, window functions and `MATERIALIZED`, on which the
//! plans of both databases hang; written SQL alone could not take a scope, which is built from the policy.

use sea_orm::{
    DbBackend, Statement, Value,
    sea_query::{PostgresQueryBuilder, QueryBuilder, SelectStatement},
};

/// A statement under construction. The SQL appended must be understood by both databases.
#[derive(Clone, Debug)]
pub struct SqlBuilder {
    backend: DbBackend,
    sql: String,
    values: Vec<Value>,
    /// Whether values are written out as literals instead of placeholders.
    written: bool,
}

impl SqlBuilder {
    /// Begins a statement for this database with this SQL.
    #[must_use]
    pub fn new(backend: DbBackend, sql: &str) -> Self {
        Self {
            backend,
            sql: sql.to_owned(),
            values: Vec::new(),
            written: false,
        }
    }

    /// Begins a statement for PostgreSQL whose values are written out as literals: the definition of a view.
    #[must_use]
    pub fn with_literals(sql: &str) -> Self {
        Self {
            written: true,
            ..Self::new(DbBackend::Postgres, sql)
        }
    }

    /// The database that the statement is for.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Appends SQL as it is. It must not contain placeholders other than those of [`SqlBuilder::bind`].
    #[must_use]
    pub fn then(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a placeholder and binds a value to it.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        if self.written {
            return self.then(&PostgresQueryBuilder.value_to_string(&value.into()));
        }
        self.values.push(value.into());
        let place = placeholder(self.backend, self.values.len());
        self.sql.push_str(&place);
        self
    }

    /// Binds a value without appending its placeholder: SQL that is appended refers to it as `$n`, as often as it
    /// needs.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends values in brackets, the right side of `IN`; without values an empty subquery, as SQL has no empty list.
    #[must_use]
    pub fn list<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Self {
        let mut values = values.into_iter();
        let Some(first) = values.next() else {
            return self.then("(SELECT NULL WHERE 1 = 0)");
        };
        let first = self.then("(").value(first);
        let all = values.fold(first, |text, value| text.then(", ").value(value));
        all.then(")")
    }

    /// Appends `VALUES (…), (…)`. Without rows that is no SQL: the caller sees to it that there is one.
    #[must_use]
    pub fn values_rows<const N: usize>(
        mut self,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Self {
        // Where nothing stands before them, SQLite needs no numbers for their places, and among thousands of numbers
        // each is looked for from the first.
        let bare = self.backend == DbBackend::Sqlite && self.values.is_empty();
        self.sql.push_str("VALUES ");
        for (at, row) in rows.into_iter().enumerate() {
            self.sql.push_str(if at == 0 { "" } else { ", " });
            self = if bare {
                let places = ["?"; N].join(", ");
                self.sql.push_str(&format!("({places})"));
                self.values.extend(row);
                self
            } else {
                self.list(row)
            };
        }
        self
    }

    /// Appends rows as [`SqlBuilder::values_rows`], none of whose values is null. PostgreSQL gets an array for each column:
    /// the statement is one text for however many rows, parsed once a connection.
    #[must_use]
    pub fn array_rows<const N: usize>(
        mut self,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Self {
        if self.backend != DbBackend::Postgres {
            return self.values_rows(rows);
        }
        let mut columns: [Vec<Value>; N] = std::array::from_fn(|_| Vec::new());
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        self.sql.push_str("SELECT * FROM unnest");
        let arrays = columns.into_iter().filter_map(|column| {
            let kind = column.first()?.array_type();
            Some(Value::Array(kind, Some(Box::new(column))))
        });
        self.list(arrays)
    }

    /// Appends a select with its values.
    #[must_use]
    pub fn select(mut self, select: &SelectStatement) -> Self {
        if self.written {
            return self.then(&select.to_string(PostgresQueryBuilder));
        }
        let built = self.backend.build(select);
        self.sql.push_str(&renumber_placeholders(
            self.backend,
            &built.sql,
            self.values.len(),
        ));
        self.values
            .extend(built.values.into_iter().flat_map(|values| values.0));
        self
    }

    /// The SQL alone: of a statement begun by [`SqlBuilder::with_literals`], which has no placeholders.
    #[must_use]
    pub fn into_sql(self) -> String {
        self.sql
    }

    /// The finished statement with its values.
    #[must_use]
    pub fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.sql, self.values)
    }
}

/// The placeholder of the `number`th value, from 1. SQLite understands `$1` as well, but as a name, which it looks up
/// among all others: quadratic in the number of values.
fn placeholder(backend: DbBackend, number: usize) -> String {
    match backend {
        DbBackend::Sqlite => format!("?{number}"),
        _ => format!("${number}"),
    }
}

/// The SQL with its placeholders, `$1` or `?`, numbered from `after + 1`. Quoted text and names are left alone.
fn renumber_placeholders(backend: DbBackend, sql: &str, after: usize) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    let mut quote = None;
    let mut number = after;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '$' | '?') => {
                while letters.next_if(char::is_ascii_digit).is_some() {}
                number += 1;
                text.push_str(&placeholder(backend, number));
                continue;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_through_and_quotes_left_alone() {
        let postgres = renumber_placeholders(
            DbBackend::Postgres,
            r#"a = $1 AND "b$" = $2 AND c = '$1'"#,
            3,
        );
        assert_eq!(postgres, r#"a = $4 AND "b$" = $5 AND c = '$1'"#);
        let sqlite =
            renumber_placeholders(DbBackend::Sqlite, r#"a = ? AND "b?" = ? AND c = '?'"#, 0);
        assert_eq!(sqlite, r#"a = ?1 AND "b?" = ?2 AND c = '?'"#);
    }

    #[test]
    fn an_empty_list_is_an_empty_set() {
        let none = SqlBuilder::new(DbBackend::Sqlite, "id IN ").list(Vec::<i32>::new());
        assert_eq!(none.statement().sql, "id IN (SELECT NULL WHERE 1 = 0)");
        let two = SqlBuilder::new(DbBackend::Sqlite, "")
            .values_rows([[1.into(), 2.into()], [3.into(), Value::Int(Some(4))]]);
        assert_eq!(
            two.then(" ").value(5).statement().sql,
            "VALUES (?, ?), (?, ?) ?5"
        );
        let after = SqlBuilder::new(DbBackend::Sqlite, "")
            .value(1)
            .values_rows([[2.into(), 3.into()]]);
        assert_eq!(after.statement().sql, "?1VALUES (?2, ?3)");
        let arrays = SqlBuilder::new(DbBackend::Postgres, "")
            .array_rows([[1.into(), 2.into()], [3.into(), 4.into()]]);
        let arrays = arrays.then(" ").value(5).statement();
        assert_eq!(arrays.sql, "SELECT * FROM unnest($1, $2) $3");
    }
}
