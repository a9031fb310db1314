//! Puts one statement together from SQL in words and from selects that carry an access scope, and numbers the
//! places of both through; or writes the values out, where a statement is kept by the database, as views are. It runs
//! nothing and decides nothing.

use sea_orm::{
    DbBackend, Statement, Value,
    sea_query::{PostgresQueryBuilder, QueryBuilder, SelectStatement},
};

/// A statement being put together. Its SQL must be such that both databases take it.
#[derive(Clone, Debug)]
pub struct Text {
    backend: DbBackend,
    sql: String,
    values: Vec<Value>,
    /// Whether values are written out in place of their places.
    written: bool,
}

impl Text {
    /// The beginning of a statement for this database.
    #[must_use]
    pub fn new(backend: DbBackend, sql: &str) -> Self {
        Self {
            backend,
            sql: sql.to_owned(),
            values: Vec::new(),
            written: false,
        }
    }

    /// The beginning of a statement without places, which PostgreSQL keeps.
    #[must_use]
    pub fn kept(sql: &str) -> Self {
        Self {
            written: true,
            ..Self::new(DbBackend::Postgres, sql)
        }
    }

    /// The database that it is for.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Goes on with this SQL.
    #[must_use]
    pub fn then(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Goes on with a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        if self.written {
            return self.then(&PostgresQueryBuilder.value_to_string(&value.into()));
        }
        self.values.push(value.into());
        let place = place(self.backend, self.values.len());
        self.sql.push_str(&place);
        self
    }

    /// Takes a value without writing its place: SQL that comes later names it by its number.
    #[must_use]
    pub fn knowing(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Goes on with values in brackets; with none of them with an empty set, which `IN` takes.
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

    /// Goes on with rows of values, `VALUES (…), (…)`; there has to be one at least.
    #[must_use]
    pub fn rows<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
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

    /// Goes on with a select.
    #[must_use]
    pub fn select(mut self, select: &SelectStatement) -> Self {
        if self.written {
            return self.then(&select.to_string(PostgresQueryBuilder));
        }
        let built = self.backend.build(select);
        self.sql
            .push_str(&renumbered(self.backend, &built.sql, self.values.len()));
        self.values
            .extend(built.values.into_iter().flat_map(|values| values.0));
        self
    }

    /// The SQL of a statement without places.
    #[must_use]
    pub fn into_sql(self) -> String {
        self.sql
    }

    /// The statement.
    #[must_use]
    pub fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.sql, self.values)
    }
}

/// The place of a value. SQLite takes `$1` for a name too, and looks for each among all others.
fn place(backend: DbBackend, number: usize) -> String {
    match backend {
        DbBackend::Sqlite => format!("?{number}"),
        _ => format!("${number}"),
    }
}

/// The SQL with its places, `$1` or `?`, numbered behind so many others.
fn renumbered(backend: DbBackend, sql: &str, behind: usize) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    let mut quote = None;
    let mut number = behind;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '$' | '?') => {
                while letters.next_if(char::is_ascii_digit).is_some() {}
                number += 1;
                text.push_str(&place(backend, number));
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
        let postgres = renumbered(
            DbBackend::Postgres,
            r#"a = $1 AND "b$" = $2 AND c = '$1'"#,
            3,
        );
        assert_eq!(postgres, r#"a = $4 AND "b$" = $5 AND c = '$1'"#);
        let sqlite = renumbered(DbBackend::Sqlite, r#"a = ? AND "b?" = ? AND c = '?'"#, 0);
        assert_eq!(sqlite, r#"a = ?1 AND "b?" = ?2 AND c = '?'"#);
    }

    #[test]
    fn an_empty_list_is_an_empty_set() {
        let none = Text::new(DbBackend::Sqlite, "id IN ").list(Vec::<i32>::new());
        assert_eq!(none.statement().sql, "id IN (SELECT NULL WHERE 1 = 0)");
        let two = Text::new(DbBackend::Sqlite, "")
            .rows([[1.into(), 2.into()], [3.into(), Value::Int(Some(4))]]);
        assert_eq!(
            two.then(" ").value(5).statement().sql,
            "VALUES (?, ?), (?, ?) ?5"
        );
        let behind = Text::new(DbBackend::Sqlite, "")
            .value(1)
            .rows([[2.into(), 3.into()]]);
        assert_eq!(behind.statement().sql, "?1VALUES (?2, ?3)");
    }
}
