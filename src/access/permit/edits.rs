//! Who made and changed the rows of an act: noted as it goes on, written once before its commit.

use std::collections::BTreeMap;

use entity::row_edit;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    access::{caller::Caller, guarded::Guarded},
    database::Transaction,
    error::Result,
};

/// Rows of one INSERT.
const ROWS: usize = 1_000;

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EditKind {
    Created,
    Updated,
    Deleted,
}

/// What was done to the rows of an act, by their ids.
#[derive(Debug, Default)]
pub(super) struct Edits(BTreeMap<Uuid, EditKind>);

impl Edits {
    /// Notes what was done to a row, where people edit its table.
    pub(super) fn note<E: Guarded>(&mut self, row: &E::Model, kind: EditKind) {
        if E::version_column().is_none() {
            return;
        }
        let before = self.0.entry(E::row_id(row)).or_insert(kind);
        // What the act made itself stays new, whatever it does to it besides.
        if kind == EditKind::Deleted || *before != EditKind::Created {
            *before = kind;
        }
    }

    /// Writes them.
    pub(super) async fn store(&self, tx: &Transaction, caller: &Caller) -> Result<()> {
        use row_edit::Column;
        let of = |kind: EditKind| self.0.iter().filter(move |(_, done)| **done == kind);
        let gone: Vec<Uuid> = of(EditKind::Deleted).map(|(id, _)| *id).collect();
        if !gone.is_empty() {
            for gone in gone.chunks(ROWS) {
                row_edit::Entity::delete_many()
                    .filter(Column::SubjectId.is_in(gone.iter().copied()))
                    .exec(tx)
                    .await?;
            }
        }
        // Of an id that was used before, and went with what it lay in, the new maker counts.
        let created = [Column::CreatedById, Column::UpdatedAt, Column::UpdatedById];
        let updated = [Column::UpdatedAt, Column::UpdatedById];
        for (kind, columns) in [
            (EditKind::Created, &created[..]),
            (EditKind::Updated, &updated[..]),
        ] {
            let row = |(id, _): (&Uuid, &EditKind)| row_edit::ActiveModel {
                subject_id: Set(*id),
                created_by_id: Set(caller.account().filter(|_| kind == EditKind::Created)),
                updated_at: Set(caller.now),
                updated_by_id: Set(caller.account()),
            };
            let rows: Vec<row_edit::ActiveModel> = of(kind).map(row).collect();
            for rows in rows.chunks(ROWS) {
                let again = OnConflict::column(Column::SubjectId)
                    .update_columns(columns.iter().copied())
                    .to_owned();
                row_edit::Entity::insert_many(rows.to_vec())
                    .on_conflict(again)
                    .exec_without_returning(tx)
                    .await?;
            }
        }
        Ok(())
    }
}
