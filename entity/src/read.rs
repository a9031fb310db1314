//! Rows read cell after cell, by place. Looking each column up by its name, and making an error of each NULL first, as
//! the models' own way does, costs most of what reading a large blueprint takes.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, QueryResult, QueryTrait, RuntimeErr, Select, Statement,
    sqlx::{self, Row as _, ValueRef as _, postgres::PgRow, sqlite::SqliteRow, types::Json},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Something that can be read from a row's next cells.
pub trait Read: Sized {
    /// Reads it.
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr>;
}

/// A model, read as it is stored.
pub trait Stored: Read {
    /// Its columns, in the order in which they are read.
    const COLUMNS: &'static [&'static str];
}

/// Runs a statement and reads all its rows.
pub async fn all<R: Read, C: ConnectionTrait>(
    db: &C,
    statement: Statement,
) -> Result<Vec<R>, DbErr> {
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| R::read(&mut Cells::of(row)?))
        .collect()
}

/// Reads all rows of a select.
pub async fn selected<E, C>(db: &C, select: Select<E>) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait<Model: Stored>,
    C: ConnectionTrait,
{
    all(db, select.build(db.get_database_backend())).await
}

/// A row of one of the two databases, as far as it has been read.
pub struct Cells<'r> {
    row: Row<'r>,
    at: usize,
}

/// A row of one of the two databases.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    Postgres(&'r PgRow),
    Sqlite(&'r SqliteRow),
}

impl<'r> Row<'r> {
    /// The row as its database gave it.
    pub fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => Ok(Self::Postgres(row)),
            (_, Some(row)) => Ok(Self::Sqlite(row)),
            (None, None) => Err(DbErr::Type("a row of neither database".to_owned())),
        }
    }

    /// The cell in this place; nothing where it is NULL.
    pub fn cell<C: Cell>(self, at: usize) -> Result<Option<C>, DbErr> {
        Option::<C>::get(self, at).map_err(failed)
    }

    /// The text in this place, lent by the row; nothing where it is NULL.
    pub fn text(self, at: usize) -> Result<Option<&'r str>, DbErr> {
        let text = match self {
            Self::Postgres(row) => row.try_get(at),
            Self::Sqlite(row) => row.try_get(at),
        };
        text.map_err(failed)
    }
}

impl<'r> Cells<'r> {
    /// A row that nothing has been read of.
    pub fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let row = Row::of(row)?;
        Ok(Self { row, at: 0 })
    }

    /// Reads the next cell.
    pub fn take<C: Cell>(&mut self) -> Result<C, DbErr> {
        let at = self.at;
        self.at += 1;
        C::get(self.row, at).map_err(failed)
    }

    /// Reads what an outer join may have left empty: nothing where its first cell is NULL.
    pub fn joined<R: Stored>(&mut self) -> Result<Option<R>, DbErr> {
        if is_null(self.row, self.at).map_err(failed)? {
            self.at += R::COLUMNS.len();
            return Ok(None);
        }
        R::read(self).map(Some)
    }
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn is_null(row: Row<'_>, at: usize) -> sqlx::Result<bool> {
    Ok(match row {
        Row::Postgres(row) => row.try_get_raw(at)?.is_null(),
        Row::Sqlite(row) => row.try_get_raw(at)?.is_null(),
    })
}

/// What one cell can hold.
pub trait Cell: Sized {
    /// Reads the cell in this place.
    fn get(row: Row<'_>, at: usize) -> sqlx::Result<Self>;
}

macro_rules! plain {
    ($($cell:ty),*) => {
        $(
            impl Cell for $cell {
                fn get(row: Row<'_>, at: usize) -> sqlx::Result<Self> {
                    match row {
                        Row::Postgres(row) => row.try_get(at),
                        Row::Sqlite(row) => row.try_get(at),
                    }
                }
            }
        )*
    };
}

plain!(bool, i32, f64, String, Uuid, NaiveDate, DateTime<Utc>);

impl<C: Cell> Cell for Option<C> {
    fn get(row: Row<'_>, at: usize) -> sqlx::Result<Self> {
        if is_null(row, at)? {
            return Ok(None);
        }
        C::get(row, at).map(Some)
    }
}

/// Reads one of a few words.
pub(crate) fn word<W>(
    row: Row<'_>,
    at: usize,
    named: impl Fn(&str) -> Option<W>,
) -> sqlx::Result<W> {
    let text: &str = match row {
        Row::Postgres(row) => row.try_get(at)?,
        Row::Sqlite(row) => row.try_get(at)?,
    };
    named(text).ok_or_else(|| sqlx::Error::Decode(format!("\"{text}\" is no known word").into()))
}

/// Reads a value kept as JSON.
pub(crate) fn json<V: DeserializeOwned + 'static>(row: Row<'_>, at: usize) -> sqlx::Result<V> {
    let Json(value) = match row {
        Row::Postgres(row) => row.try_get(at)?,
        Row::Sqlite(row) => row.try_get(at)?,
    };
    Ok(value)
}

#[cfg(test)]
mod tests {
    use sea_orm::{EntityTrait, IdenStatic, Iterable};

    use super::Stored;

    fn in_order<E: EntityTrait<Model: Stored>>() {
        let columns: Vec<&str> = E::Column::iter().map(|column| column.as_str()).collect();
        assert_eq!(columns, E::Model::COLUMNS);
    }

    #[test]
    fn what_is_read_is_what_is_selected() {
        in_order::<crate::channel::Entity>();
        in_order::<crate::department::Entity>();
        in_order::<crate::kpi::Entity>();
        in_order::<crate::kpi_link::Entity>();
        in_order::<crate::kpi_target::Entity>();
        in_order::<crate::measurement::Entity>();
        in_order::<crate::responsibility::Entity>();
        in_order::<crate::touchpoint::Entity>();
        in_order::<crate::transition::Entity>();
    }
}
