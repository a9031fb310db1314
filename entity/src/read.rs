//! Rows read cell after cell, by place. Looking each column up by its name, and making an error of each NULL first, as
//! the models' own way does, costs most of what reading a large blueprint takes.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, QueryResult, QueryTrait, RuntimeErr, Select, Statement,
    sqlx::{
        self, Database, Decode, Postgres, Row as _, Sqlite, Type, ValueRef as _,
        error::BoxDynError,
        postgres::{PgRow, PgValueRef},
        sqlite::{SqliteRow, SqliteValueRef},
        types::Json,
    },
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
        let cell = RawCell::new(self, at).and_then(Option::<C>::from_cell);
        cell.map_err(decode_error)
    }

    /// The text in this place, lent by the row; nothing where it is NULL.
    pub fn text(self, at: usize) -> Result<Option<&'r str>, DbErr> {
        let cell = RawCell::new(self, at).map_err(decode_error)?;
        if cell.is_null() {
            return Ok(None);
        }
        cell.decode().map(Some).map_err(decode_error)
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
        let cell = RawCell::new(self.row, self.at);
        self.at += 1;
        cell.and_then(C::from_cell).map_err(decode_error)
    }

    /// Reads what an outer join may have left empty: nothing where its first cell is NULL.
    pub fn read_joined<R: StoredModel>(&mut self) -> Result<Option<R>, DbErr> {
        let first = RawCell::new(self.row, self.at).map_err(decode_error)?;
        if first.is_null() {
            self.at += R::COLUMNS.len();
            return Ok(None);
        }
        R::from_cells(self).map(Some)
    }
}

fn decode_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// A cell, looked up once: whether it is NULL, and what it holds.
pub struct RawCell<'r> {
    value: RawValue<'r>,
    at: usize,
}

enum RawValue<'r> {
    Postgres(PgValueRef<'r>),
    Sqlite(SqliteValueRef<'r>),
}

impl<'r> RawCell<'r> {
    fn new(row: RawRow<'r>, at: usize) -> sqlx::Result<Self> {
        let value = match row {
            RawRow::Postgres(row) => RawValue::Postgres(row.try_get_raw(at)?),
            RawRow::Sqlite(row) => RawValue::Sqlite(row.try_get_raw(at)?),
        };
        Ok(Self { value, at })
    }

    fn is_null(&self) -> bool {
        match &self.value {
            RawValue::Postgres(value) => value.is_null(),
            RawValue::Sqlite(value) => value.is_null(),
        }
    }

    fn decode<C: Cell<'r>>(self) -> sqlx::Result<C> {
        let at = self.at;
        let decoded = match self.value {
            RawValue::Postgres(value) => decode_value::<Postgres, C>(value),
            RawValue::Sqlite(value) => decode_value::<Sqlite, C>(value),
        };
        decoded.map_err(|source| sqlx::Error::ColumnDecode {
            index: at.to_string(),
            source,
        })
    }
}

/// What both databases can hold in a cell.
trait Cell<'r>:
    Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite> + Sized
{
}

impl<'r, C> Cell<'r> for C where
    C: Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite>
{
}

fn decode_value<'r, D: Database, C: Decode<'r, D> + Type<D>>(
    value: D::ValueRef<'r>,
) -> Result<C, BoxDynError> {
    // A column has the type of its entity's field, or of the expression in the statement: a fault of the program that
    // the tests meet, and a tenth of what reading a row takes.
    debug_assert!(
        value.is_null() || C::compatible(&value.type_info()),
        "a cell of the type {} is read as another",
        value.type_info()
    );
    C::decode(value)
}

/// The type of a cell.
pub trait FromCell: Sized {
    /// Reads the cell.
    fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self>;
}

macro_rules! plain {
    ($($cell:ty),*) => {
        $(
            impl FromCell for $cell {
                fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
                    cell.decode()
                }
            }
        )*
    };
}

plain!(bool, i32, f64, String, Uuid, NaiveDate, DateTime<Utc>);

impl<C: FromCell> FromCell for Option<C> {
    fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
        if cell.is_null() {
            return Ok(None);
        }
        C::from_cell(cell).map(Some)
    }
}

/// Reads a cell that holds one of a few words.
pub(crate) fn read_word<W>(
    cell: RawCell<'_>,
    named: impl Fn(&str) -> Option<W>,
) -> sqlx::Result<W> {
    let text: &str = cell.decode()?;
    named(text).ok_or_else(|| sqlx::Error::Decode(format!("\"{text}\" is no known word").into()))
}

/// Reads a cell that holds a value as JSON.
pub(crate) fn read_json<V: DeserializeOwned + 'static>(cell: RawCell<'_>) -> sqlx::Result<V> {
    let Json(value) = cell.decode()?;
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
