//! Rows read cell after cell, by place. Looking each column up by its name, and making an error of each NULL first, as
//! the models' own way does, costs most of what reading a large blueprint takes.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, QueryResult, QueryTrait, RuntimeErr, Select, Statement,
    sqlx::{self, Row as _, ValueRef as _, postgres::PgRow, sqlite::SqliteRow, types::Json},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A value that is read from a row's next cells.
pub trait FromCells: Sized {
    /// Reads the value and moves after its cells.
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr>;
}

/// A model, read as it is stored.
pub trait StoredModel: FromCells {
    /// Its columns, in the order in which they are read.
    const COLUMNS: &'static [&'static str];
}

/// The columns of a table under an alias, in the order in which they are read.
#[must_use]
pub fn columns_sql<R: StoredModel>(alias: &str) -> String {
    let columns = R::COLUMNS.iter().map(|column| format!("{alias}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

/// Runs a statement and reads all its rows.
pub async fn read_all<R: FromCells, C: ConnectionTrait>(
    db: &C,
    statement: Statement,
) -> Result<Vec<R>, DbErr> {
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| R::from_cells(&mut RowCursor::new(row)?))
        .collect()
}

/// Reads all rows of a select.
pub async fn read_selected<E, C>(db: &C, select: Select<E>) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait<Model: StoredModel>,
    C: ConnectionTrait,
{
    read_all(db, select.build(db.get_database_backend())).await
}

/// A row of one of the two databases, and the cell that is read next.
pub struct RowCursor<'r> {
    row: RawRow<'r>,
    at: usize,
}

/// A row of one of the two databases.
#[derive(Clone, Copy)]
pub enum RawRow<'r> {
    Postgres(&'r PgRow),
    Sqlite(&'r SqliteRow),
}

impl<'r> RawRow<'r> {
    /// The row that a query gave.
    ///
    /// # Errors
    ///
    /// Where the row is of neither database, which is a fault of the program.
    pub fn new(row: &'r QueryResult) -> Result<Self, DbErr> {
        match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => Ok(Self::Postgres(row)),
            (_, Some(row)) => Ok(Self::Sqlite(row)),
            (None, None) => Err(DbErr::Type("a row of neither database".to_owned())),
        }
    }

    /// The cell in this place; nothing where it is NULL.
    pub fn cell<C: FromCell>(self, at: usize) -> Result<Option<C>, DbErr> {
        Option::<C>::from_cell(self, at).map_err(decode_error)
    }

    /// The text in this place, lent by the row; nothing where it is NULL.
    pub fn text(self, at: usize) -> Result<Option<&'r str>, DbErr> {
        let text = match self {
            Self::Postgres(row) => row.try_get(at),
            Self::Sqlite(row) => row.try_get(at),
        };
        text.map_err(decode_error)
    }
}

impl<'r> RowCursor<'r> {
    /// The row, from its first cell on.
    pub fn new(row: &'r QueryResult) -> Result<Self, DbErr> {
        let row = RawRow::new(row)?;
        Ok(Self { row, at: 0 })
    }

    /// Reads the next cell.
    pub fn read_next<C: FromCell>(&mut self) -> Result<C, DbErr> {
        let at = self.at;
        self.at += 1;
        C::from_cell(self.row, at).map_err(decode_error)
    }

    /// Reads what an outer join may have left empty: nothing where its first cell is NULL.
    pub fn read_joined<R: StoredModel>(&mut self) -> Result<Option<R>, DbErr> {
        if is_null(self.row, self.at).map_err(decode_error)? {
            self.at += R::COLUMNS.len();
            return Ok(None);
        }
        R::from_cells(self).map(Some)
    }
}

fn decode_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn is_null(row: RawRow<'_>, at: usize) -> sqlx::Result<bool> {
    Ok(match row {
        RawRow::Postgres(row) => row.try_get_raw(at)?.is_null(),
        RawRow::Sqlite(row) => row.try_get_raw(at)?.is_null(),
    })
}

/// The type of a cell.
pub trait FromCell: Sized {
    /// Reads the cell in this place.
    fn from_cell(row: RawRow<'_>, at: usize) -> sqlx::Result<Self>;
}

macro_rules! plain {
    ($($cell:ty),*) => {
        $(
            impl FromCell for $cell {
                fn from_cell(row: RawRow<'_>, at: usize) -> sqlx::Result<Self> {
                    match row {
                        RawRow::Postgres(row) => row.try_get(at),
                        RawRow::Sqlite(row) => row.try_get(at),
                    }
                }
            }
        )*
    };
}

plain!(bool, i32, f64, String, Uuid, NaiveDate, DateTime<Utc>);

impl<C: FromCell> FromCell for Option<C> {
    fn from_cell(row: RawRow<'_>, at: usize) -> sqlx::Result<Self> {
        if is_null(row, at)? {
            return Ok(None);
        }
        C::from_cell(row, at).map(Some)
    }
}

/// Reads a cell that holds one of a few words.
pub(crate) fn read_word<W>(
    row: RawRow<'_>,
    at: usize,
    named: impl Fn(&str) -> Option<W>,
) -> sqlx::Result<W> {
    let text: &str = match row {
        RawRow::Postgres(row) => row.try_get(at)?,
        RawRow::Sqlite(row) => row.try_get(at)?,
    };
    named(text).ok_or_else(|| sqlx::Error::Decode(format!("\"{text}\" is no known word").into()))
}

/// Reads a cell that holds a value as JSON.
pub(crate) fn read_json<V: DeserializeOwned + 'static>(
    row: RawRow<'_>,
    at: usize,
) -> sqlx::Result<V> {
    let Json(value) = match row {
        RawRow::Postgres(row) => row.try_get(at)?,
        RawRow::Sqlite(row) => row.try_get(at)?,
    };
    Ok(value)
}

#[cfg(test)]
mod tests {
    use sea_orm::{EntityTrait, IdenStatic, Iterable};

    use super::StoredModel;

    fn in_order<E: EntityTrait<Model: StoredModel>>() {
        let columns: Vec<&str> = E::Column::iter().map(|column| column.as_str()).collect();
        assert_eq!(columns, E::Model::COLUMNS);
    }

    #[test]
    fn what_is_read_is_what_is_selected() {
        in_order::<crate::channel::Entity>();
        in_order::<crate::department::Entity>();
        in_order::<crate::kpi::Entity>();
        in_order::<crate::kpi_link::Entity>();
        in_order::<crate::kpi_period::Entity>();
        in_order::<crate::kpi_target::Entity>();
        in_order::<crate::measurement::Entity>();
        in_order::<crate::persona::Entity>();
        in_order::<crate::persona_need::Entity>();
        in_order::<crate::responsibility::Entity>();
        in_order::<crate::touchpoint::Entity>();
        in_order::<crate::transition::Entity>();
    }
}
