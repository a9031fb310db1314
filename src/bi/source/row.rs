//! A row of a dataset: its cells, each by its column's type and borrowed from the row, and its key.

use entity::read;
use sea_orm::QueryResult;

use crate::bi::{
    fact_join::fact::JoinedFact,
    model::{
        cursor::{RowKey, RowKeyPart},
        dataset::{Column, ColumnType, KeyType},
        query::Projection,
        value::{Value, ValueRef},
    },
};
use crate::error::Result;

/// One row.
pub struct DatasetRow {
    pub(in crate::bi) form: RowContent,
    pub(in crate::bi) projection: Projection,
}

/// A row in the form in which its reader made it. An enum, and not a trait object: cells are read millions of times.
pub(in crate::bi) enum RowContent {
    /// A row of a statement.
    Stored(QueryResult),
    /// The cells of the columns that a pull selects, with the key.
    Computed(Box<[Value]>, RowKey),
    /// Indices into a batch of the fact join.
    Joined(JoinedFact),
    /// Of a measurement that has no rows any more.
    Tombstone(Box<[Value]>, RowKey),
}

impl DatasetRow {
    /// Passes each of its cells to `taker`, in the order of the columns that were selected.
    pub fn for_each_cell(
        &self,
        mut taker: impl FnMut(&'static Column, ValueRef<'_>),
    ) -> Result<()> {
        match &self.form {
            RowContent::Stored(row) => {
                let row = read::RawRow::new(row)?;
                for (at, column) in self.projection.columns.iter().enumerate() {
                    taker(column, read_cell(row, at, column.of)?);
                }
            }
            RowContent::Computed(cells, _) | RowContent::Tombstone(cells, _) => {
                for (cell, column) in cells.iter().zip(&*self.projection.columns) {
                    taker(column, cell.as_ref());
                }
            }
            RowContent::Joined(fact) => fact.for_each_cell(&self.projection.columns, taker),
        }
        Ok(())
    }

    /// Whether it says that a measurement has no rows any more.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        matches!(self.form, RowContent::Tombstone(..))
    }

    /// Its values, in the order of the columns that were selected.
    pub(in crate::bi) fn values(&self) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(self.projection.columns.len());
        self.for_each_cell(|_, value| values.push(value.into()))?;
        Ok(values)
    }

    /// Its key: where it stands in the dataset's own order.
    pub fn key(&self) -> Result<RowKey> {
        match &self.form {
            RowContent::Stored(row) => {
                // The statement selects the parts of the key after the columns.
                let row = read::RawRow::new(row)?;
                let after = self.projection.columns.len();
                let parts = self.projection.key_types.iter().enumerate();
                let parts = parts.map(|(at, part)| -> Result<RowKeyPart> {
                    Ok(match part {
                        KeyType::Day => RowKeyPart::Day(row.cell(after + at)?.unwrap_or_default()),
                        KeyType::Id => RowKeyPart::Id(row.cell(after + at)?.unwrap_or_default()),
                    })
                });
                Ok(RowKey(parts.collect::<Result<_>>()?))
            }
            RowContent::Computed(_, key) | RowContent::Tombstone(_, key) => Ok(key.clone()),
            RowContent::Joined(fact) => Ok(fact.row_key()),
        }
    }
}

fn read_cell(row: read::RawRow<'_>, at: usize, of: ColumnType) -> Result<ValueRef<'_>> {
    let cell = match of {
        ColumnType::Id(prefix) => row.cell(at)?.map(|id| ValueRef::Id(prefix, id)),
        // Borrowed from the row: a text is copied once, into the answer.
        ColumnType::Text | ColumnType::Word(_) => row.text(at)?.map(ValueRef::Text),
        ColumnType::Day => row.cell(at)?.map(ValueRef::Day),
        ColumnType::Instant => row.cell(at)?.map(ValueRef::Instant),
        ColumnType::Integer => row.cell(at)?.map(ValueRef::Integer),
        ColumnType::Number => row.cell(at)?.map(ValueRef::Number),
        ColumnType::Boolean => row.cell(at)?.map(ValueRef::Boolean),
    };
    Ok(cell.unwrap_or(ValueRef::Empty))
}
