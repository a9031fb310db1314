//! Rows of a dataset, as they come: each cell by its column's type, lent by the row it stands in.

use entity::read;
use sea_orm::QueryResult;

use crate::bi::{
    fact_join::fact::JoinedFact,
    model::{
        cursor::{RowKey, RowKeyPart},
        dataset::{Column, KeyType, Type},
        query::Projection,
        value::{OwnValue, ValueRef},
    },
};
use crate::error::Result;

/// One row.
pub struct DatasetRow {
    pub(in crate::bi) held: RowData,
    pub(in crate::bi) shape: Projection,
}

/// Where a row is held.
pub(in crate::bi) enum RowData {
    Stored(QueryResult),
    Computed(Box<[OwnValue]>, RowKey),
    Joined(JoinedFact),
    /// What is left to tell of rows that are gone.
    Gone(Box<[OwnValue]>, RowKey),
}

impl DatasetRow {
    /// Gives each of its cells to `taker`, in the order of its columns.
    pub fn each(&self, mut taker: impl FnMut(&'static Column, ValueRef<'_>)) -> Result<()> {
        match &self.held {
            RowData::Stored(row) => {
                let row = read::RawRow::new(row)?;
                for (at, column) in self.shape.columns.iter().enumerate() {
                    taker(column, stored(row, at, column.of)?);
                }
            }
            RowData::Computed(cells, _) | RowData::Gone(cells, _) => {
                for (cell, column) in cells.iter().zip(&*self.shape.columns) {
                    taker(column, cell.lend());
                }
            }
            RowData::Joined(fact) => fact.each(&self.shape.columns, taker),
        }
        Ok(())
    }

    /// Whether it tells that there are rows no more.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        matches!(self.held, RowData::Gone(..))
    }

    /// Its place in the order of the dataset.
    pub fn place(&self) -> Result<RowKey> {
        match &self.held {
            RowData::Stored(row) => {
                let row = read::RawRow::new(row)?;
                let behind = self.shape.columns.len();
                let parts = self.shape.order.iter().enumerate();
                let parts = parts.map(|(at, part)| -> Result<RowKeyPart> {
                    Ok(match part {
                        KeyType::Day => RowKeyPart::Day(row.cell(behind + at)?.unwrap_or_default()),
                        KeyType::Id => RowKeyPart::Id(row.cell(behind + at)?.unwrap_or_default()),
                    })
                });
                Ok(RowKey(parts.collect::<Result<_>>()?))
            }
            RowData::Computed(_, place) | RowData::Gone(_, place) => Ok(place.clone()),
            RowData::Joined(fact) => Ok(fact.place()),
        }
    }
}

fn stored(row: read::RawRow<'_>, at: usize, of: Type) -> Result<ValueRef<'_>> {
    let cell = match of {
        Type::Id(prefix) => row.cell(at)?.map(|id| ValueRef::Id(prefix, id)),
        Type::Text | Type::Word(_) => row.text(at)?.map(ValueRef::Text),
        Type::Day => row.cell(at)?.map(ValueRef::Day),
        Type::Instant => row.cell(at)?.map(ValueRef::Instant),
        Type::Integer => row.cell(at)?.map(ValueRef::Integer),
        Type::Number => row.cell(at)?.map(ValueRef::Number),
        Type::Boolean => row.cell(at)?.map(ValueRef::Boolean),
    };
    Ok(cell.unwrap_or(ValueRef::Empty))
}
