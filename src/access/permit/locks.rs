//! The locks of a permit, each taken before what it guards is read.

use std::collections::BTreeSet;

use entity::{blueprint, id::BlueprintId};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};

use super::Permit;
use crate::{
    access::guarded::Guarded,
    error::{Error, Result, UserErrorCode},
};

impl Permit<'_> {
    /// Takes the lock of a blueprint by raising its revision, once for each permit however often it is asked for.
    pub async fn lock_blueprint(&mut self, id: BlueprintId) -> Result<()> {
        if self.has_locked_blueprint(id) {
            Ok(())
        } else {
            self.lock_by_raising_revision(Expr::value(id)).await
        }
    }

    /// Takes the locks of the blueprints in which these rows lie, in the order of their ids, so that of two acts on rows
    /// of several blueprints never each waits for the other. Of rows that the caller may not see too: their locks would
    /// else be taken in the order of the list, when they are looked for.
    pub async fn lock_blueprints_of<E: Guarded>(&mut self, ids: &[E::Id]) -> Result<()> {
        let rows = E::find().filter(E::id_column().is_in(ids.iter().copied()));
        let rows = rows.all(&self.tx).await?;
        let blueprints: BTreeSet<BlueprintId> = rows.iter().filter_map(E::blueprint_id).collect();
        for blueprint in blueprints {
            self.lock_blueprint(blueprint).await?;
        }
        Ok(())
    }

    /// Whether the lock of a blueprint was taken.
    pub fn has_locked_blueprint(&self, id: BlueprintId) -> bool {
        self.locked.contains_key(&id)
    }

    /// Refuses to change anything inside a blueprint, whose lock was taken, where it is archived.
    ///
    /// # Errors
    /// ARCHIVED.
    pub fn require_unarchived_blueprint(&self, id: BlueprintId) -> Result<()> {
        match self.locked.get(&id) {
            Some(true) => Err(Error::fault(
                "id",
                UserErrorCode::Archived,
                None,
                "The blueprint that it is in is archived. Unarchive it first.",
            )),
            _ => Ok(()),
        }
    }

    /// Raises the revision of a blueprint, given by an expression of its id: the UPDATE is the lock, and clients that
    /// compare revisions see that something inside has changed.
    pub(super) async fn lock_by_raising_revision(&mut self, blueprint: SimpleExpr) -> Result<()> {
        let written = self.tx.write_count();
        let locked = self.locked.keys().map(|id| id.0);
        let raised: Vec<blueprint::Model> = blueprint::Entity::update_many()
            .col_expr(
                blueprint::Column::Revision,
                Expr::col(blueprint::Column::Revision).add(1),
            )
            .filter(Expr::col(blueprint::Column::Id).eq(blueprint))
            // A blueprint whose lock is taken matches no row: an act of many changes raises the revision once.
            .filter(blueprint::Column::Id.is_not_in(locked))
            .exec_with_returning(&self.tx)
            .await?;
        // By difference, since a blueprint that is locked already raises nothing.
        self.locking += self.tx.write_count() - written;
        self.locked.extend(
            raised
                .into_iter()
                .map(|row| (row.id, row.archived_at.is_some())),
        );
        Ok(())
    }

    /// Takes the one lock under which departments move: two moves at once, each sound, could make a circle together.
    pub async fn lock_department_tree(&self) -> Result<()> {
        const DEPARTMENT_TREE: &str =
            "SELECT touched FROM fixed_row WHERE name = 'department_tree' FOR UPDATE";
        // SQLite has one writer at a time: the transaction itself is the lock.
        self.execute_if_postgresql(DEPARTMENT_TREE).await
    }
}
