//! Rows of a dataset, as they come: each cell by its column's type, lent by the row it stands in.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{id::Id, read};
use sea_orm::QueryResult;
use uuid::Uuid;

use super::{
    joined::Fact,
    query::{At, Place},
    registry::{Column, Part, Type},
};
use crate::error::Result;

/// What stands in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'r> {
    Empty,
    /// An id and its prefix.
    Id(&'static str, Uuid),
    /// A text or a word.
    Text(&'r str),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

/// The columns of rows that were asked for, and the parts of their order behind them.
#[derive(Clone)]
pub struct Shape {
    pub columns: Arc<[&'static Column]>,
    pub order: Arc<[Part]>,
}

/// One row.
pub struct Row {
    pub(super) held: Held,
    pub(super) shape: Shape,
}

/// Where a row is held.
pub(super) enum Held {
    Stored(QueryResult),
    Computed(Box<[Own]>, Place),
    Joined(Fact),
    /// What is left to tell of rows that are gone.
    Gone(Box<[Own]>, Place),
}

/// What stands in one cell of a row that was computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Own {
    Empty,
    Id(&'static str, Uuid),
    Text(String),
    Day(NaiveDate),
    Instant(DateTime<Utc>),
    Integer(i32),
    Number(f64),
    Boolean(bool),
}

impl Own {
    /// An id, or nothing.
    #[must_use]
    pub fn id<I: Id>(id: Option<I>) -> Self {
        id.map_or(Self::Empty, |id| Self::Id(I::PREFIX, id.uuid()))
    }

    /// The cell.
    #[must_use]
    pub fn lend(&self) -> Cell<'_> {
        match self {
            Self::Empty => Cell::Empty,
            Self::Id(prefix, id) => Cell::Id(prefix, *id),
            Self::Text(text) => Cell::Text(text),
            Self::Day(day) => Cell::Day(*day),
            Self::Instant(at) => Cell::Instant(*at),
            Self::Integer(number) => Cell::Integer(*number),
            Self::Number(number) => Cell::Number(*number),
            Self::Boolean(truth) => Cell::Boolean(*truth),
        }
    }
}

impl Row {
    /// Gives each of its cells to `taker`, in the order of its columns.
    pub fn each(&self, mut taker: impl FnMut(&'static Column, Cell<'_>)) -> Result<()> {
        match &self.held {
            Held::Stored(row) => {
                let row = read::Row::of(row)?;
                for (at, column) in self.shape.columns.iter().enumerate() {
                    taker(column, stored(row, at, column.of)?);
                }
            }
            Held::Computed(cells, _) | Held::Gone(cells, _) => {
                for (cell, column) in cells.iter().zip(&*self.shape.columns) {
                    taker(column, cell.lend());
                }
            }
            Held::Joined(fact) => fact.each(&self.shape.columns, taker),
        }
        Ok(())
    }

    /// Whether it tells that there are rows no more.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        matches!(self.held, Held::Gone(..))
    }

    /// Its place in the order of the dataset.
    pub fn place(&self) -> Result<Place> {
        match &self.held {
            Held::Stored(row) => {
                let row = read::Row::of(row)?;
                let behind = self.shape.columns.len();
                let parts = self.shape.order.iter().enumerate();
                let parts = parts.map(|(at, part)| -> Result<At> {
                    Ok(match part {
                        Part::Day => At::Day(row.cell(behind + at)?.unwrap_or_default()),
                        Part::Id => At::Id(row.cell(behind + at)?.unwrap_or_default()),
                    })
                });
                Ok(Place(parts.collect::<Result<_>>()?))
            }
            Held::Computed(_, place) | Held::Gone(_, place) => Ok(place.clone()),
            Held::Joined(fact) => Ok(fact.place()),
        }
    }
}

fn stored(row: read::Row<'_>, at: usize, of: Type) -> Result<Cell<'_>> {
    let cell = match of {
        Type::Id(prefix) => row.cell(at)?.map(|id| Cell::Id(prefix, id)),
        Type::Text | Type::Word(_) => row.text(at)?.map(Cell::Text),
        Type::Day => row.cell(at)?.map(Cell::Day),
        Type::Instant => row.cell(at)?.map(Cell::Instant),
        Type::Integer => row.cell(at)?.map(Cell::Integer),
        Type::Number => row.cell(at)?.map(Cell::Number),
        Type::Boolean => row.cell(at)?.map(Cell::Boolean),
    };
    Ok(cell.unwrap_or(Cell::Empty))
}
