//! The writes of a permit: rows inserted, updated and deleted, each with its audit event in the same transaction.

use std::sync::atomic::Ordering;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
    sea_query::SimpleExpr,
};

use super::{Permit, edits::EditKind, stale_version_error, with_all_columns_set};
use crate::{
    access::guarded::{Archivable, Guarded},
    audit::AuditedChange,
    error::Result,
};

/// Most rows of one INSERT: with its columns fewer than the 32,766 parameters of SQLite and the 65,535 of PostgreSQL.
const ROWS: usize = 500;

impl Permit<'_> {
    /// Notes that a row was made, which was inserted by other ways than `insert`.
    pub fn note_created<E: Guarded>(&mut self, row: &E::Model) {
        self.edits.note::<E>(row, EditKind::Created);
    }

    /// Notes that a row was changed, which was updated by other ways than `update`.
    pub fn note_updated<E: Guarded>(&mut self, row: &E::Model) {
        self.edits.note::<E>(row, EditKind::Updated);
    }

    /// Inserts a row and notes its audit event.
    pub async fn insert<E: Guarded>(&mut self, row: E::ActiveModel) -> Result<E::Model>
    where
        E::ActiveModel: Send,
    {
        let row = E::insert(row).exec_with_returning(&self.tx).await?;
        self.finding_dependencies
            .extend(E::finding_dependency(&row));
        self.note_created::<E>(&row);
        self.add_audit_event(AuditedChange::inserted::<E>(&row));
        Ok(row)
    }

    /// Updates a row that was fetched, raises its version and notes the columns that changed. A change to what is there
    /// already writes nothing and raises nothing, unless a list of the row changed in this act.
    ///
    /// # Errors
    /// CONFLICT where somebody else has changed the row since `before` was read.
    pub async fn update<E: Guarded>(
        &mut self,
        before: &E::Model,
        change: E::ActiveModel,
    ) -> Result<E::Model>
    where
        E::Model: Clone,
        E::ActiveModel: Send,
    {
        let as_it_is = before.clone().into_active_model();
        let differs = |column| match change.get(column).into_value() {
            Some(new) => as_it_is.get(column).into_value() != Some(new),
            None => false,
        };
        // A save without a change must not raise the version: others who edit the row would be refused for nothing.
        if self.lists_changed_of.remove(&E::row_id(before)) || E::Column::iter().any(differs) {
            self.update_even_if_equal::<E>(before, change).await
        } else {
            Ok(before.clone())
        }
    }

    /// Updates a row, and raises its version even where none of its own columns changes: for changes in its lists.
    ///
    /// # Errors
    /// CONFLICT as [`Permit::update`].
    pub async fn update_even_if_equal<E: Guarded>(
        &mut self,
        before: &E::Model,
        mut change: E::ActiveModel,
    ) -> Result<E::Model>
    where
        E::ActiveModel: Send,
    {
        let mut update = E::update_many().filter(E::id_column().eq(E::id(before)));
        if let (Some(column), Some(version)) = (E::version_column(), E::version(before)) {
            change.set(column, (version + 1).into());
            // `before` may have been read without a lock.
            update = update.filter(column.eq(version));
        }
        let after = update
            .set(change)
            .exec_with_returning(&self.tx)
            .await?
            .into_iter()
            .next();
        // No row came back: somebody has changed or deleted it since.
        let after = after.ok_or_else(|| stale_version_error(E::row_id(before)))?;
        self.finding_dependencies
            .extend(E::finding_dependency(&after));
        self.note_updated::<E>(&after);
        self.add_audit_event(AuditedChange::updated::<E>(before, &after));
        Ok(after)
    }

    /// Replaces an ordered list that a thing has in a table of its own: the rows that fulfil `its` become these. Where
    /// they differ, that is a change of the thing, of which its event says `noted`.
    pub async fn replace_list<L, E: Guarded>(
        &mut self,
        owner: &E::Model,
        (its, position): (SimpleExpr, L::Column),
        rows: Vec<L::Model>,
        noted: serde_json::Value,
    ) -> Result<()>
    where
        L: EntityTrait<Model: PartialEq + IntoActiveModel<L::ActiveModel> + Send + Sync>,
        L::ActiveModel: Send,
    {
        if self.replace_unnoted_list::<L>(its, position, rows).await? {
            self.note_list_change::<E>(owner, noted);
        }
        Ok(())
    }

    /// Notes that a list of a row changed. The list is the row's own: its next update raises the version, so that
    /// whoever has read the old list is told.
    pub fn note_list_change<E: Guarded>(&mut self, row: &E::Model, noted: serde_json::Value) {
        self.lists_changed_of.insert(E::row_id(row));
        self.add_audit_event(AuditedChange::for_change_outside_row::<E>(row, noted));
    }

    /// Replaces an ordered list as [`Permit::replace_list`] and says whether that changed anything; to note it is left
    /// to the slice.
    pub async fn replace_unnoted_list<L>(
        &self,
        its: SimpleExpr,
        position: L::Column,
        rows: Vec<L::Model>,
    ) -> Result<bool>
    where
        L: EntityTrait<Model: PartialEq + IntoActiveModel<L::ActiveModel> + Send + Sync>,
        L::ActiveModel: Send,
    {
        let before = L::find().filter(its.clone()).order_by_asc(position);
        if before.all(&self.tx).await? == rows {
            return Ok(false);
        }
        // All of it and not only what differs: positions are unique in a list, and rows that swap places would collide.
        L::delete_many().filter(its).exec(&self.tx).await?;
        let fresh = rows.into_iter().map(with_all_columns_set::<L>);
        if fresh.len() > 0 {
            L::insert_many(fresh)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(true)
    }

    /// Deletes a row that was fetched and notes its audit event.
    pub async fn delete<E: Guarded>(&mut self, row: &E::Model) -> Result<()> {
        E::delete_many()
            .filter(E::id_column().eq(E::id(row)))
            .exec(&self.tx)
            .await?;
        self.finding_dependencies.extend(E::finding_dependency(row));
        self.edits.note::<E>(row, EditKind::Deleted);
        self.add_audit_event(AuditedChange::deleted::<E>(row));
        Ok(())
    }

    /// Archives a row at the moment of the request, or unarchives it.
    pub async fn set_archived<E: Archivable>(
        &mut self,
        row: &E::Model,
        archived: bool,
    ) -> Result<E::Model>
    where
        E::Model: Clone,
        E::ActiveModel: Send,
    {
        let mut change = <E::ActiveModel as ActiveModelTrait>::default();
        change.set(
            E::archived_at_column(),
            archived.then_some(self.caller.now).into(),
        );
        self.update::<E>(row, change).await
    }

    /// Inserts many rows without audit events: the act notes one for all.
    pub async fn insert_all_unaudited<E: EntityTrait>(
        &self,
        rows: Vec<E::ActiveModel>,
    ) -> Result<()>
    where
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        debug_assert!(
            ROWS * E::Column::iter().count() < 32_766,
            "SQLite takes no more parameters than that"
        );
        self.weighty.fetch_or(!rows.is_empty(), Ordering::Relaxed);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<E::ActiveModel> = rows.by_ref().take(ROWS).collect();
            E::insert_many(chunk)
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }
}
