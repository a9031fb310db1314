//! Publications: what a blueprint was when it was published, or before it was replaced. Never changed.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AccountId, BlueprintId, PublicationId};

#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "publication")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PublicationId,
    pub blueprint_id: BlueprintId,
    /// From 1; empty of what was kept before it was replaced.
    pub number: Option<i32>,
    pub label: Option<String>,
    /// The blueprint's revision that it holds.
    pub revision: i32,
    /// The blueprint as its document.
    pub document: String,
    pub made_by_account_id: Option<AccountId>,
    pub created_at: DateTimeUtc,
}

no_relations!();
