//! What customers are promised at a touchpoint.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, PromiseId, TouchpointId},
    words::PromiseState,
};

/// What customers are promised at a touchpoint.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "promise")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PromiseId,
    pub blueprint_id: BlueprintId,
    pub key: String,
    /// Where it is made.
    pub touchpoint_id: TouchpointId,
    pub text: String,
    pub state: PromiseState,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
