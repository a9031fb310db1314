//! Who made an object, and who changed it last and when, as fields of the objects that people edit.

use std::collections::HashMap;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use entity::row_edit;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::graphql::Account;
use crate::{
    access::Caller,
    batch::{LoaderKey, load},
    error::Result,
    payload::into_node,
};

/// Who made an object and who changed it last; its fields are the object's own.
#[derive(Clone, Copy, Debug)]
pub struct Authorship {
    id: Uuid,
    created_at: DateTime<Utc>,
}

impl Authorship {
    /// Of the object with this id, that was made at this moment.
    #[must_use]
    pub const fn of(id: Uuid, created_at: DateTime<Utc>) -> Self {
        Self { id, created_at }
    }
}

#[Object]
impl Authorship {
    /// The account that created it; null where the command line or the import of an organisation did, where it is not
    /// known, and where you may not see the account.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        match load(ctx, EditOf(self.id)).await {
            Ok(edit) => into_node(load(ctx, edit?.created_by_id?)).await,
            Err(error) => Some(Err(error)),
        }
    }

    /// Time of the latest change of its own fields; that of creation if there was none.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>> {
        let edit = load(ctx, EditOf(self.id)).await?;
        Ok(edit.map_or(self.created_at, |edit| edit.updated_at))
    }

    /// The account that made the latest change; null as `createdBy` is.
    async fn updated_by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        match load(ctx, EditOf(self.id)).await {
            Ok(edit) => into_node(load(ctx, edit?.updated_by_id?)).await,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Who made a row and changed it last, by the row's id. Whoever reads a row may know; who they are is asked of the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EditOf(pub Uuid);

impl LoaderKey for EditOf {
    type Value = row_edit::Model;

    async fn load(caller: &Caller, ids: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = row_edit::Entity::find()
            .filter(row_edit::Column::SubjectId.is_in(ids.iter().map(|id| id.0)))
            .all(caller.connection())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (EditOf(row.subject_id), row))
            .collect())
    }
}
