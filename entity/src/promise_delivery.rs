//! A touchpoint at which a promise is delivered.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, PromiseId, TouchpointId};

/// A touchpoint at which a promise is delivered.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "promise_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub promise_id: PromiseId,
    pub blueprint_id: BlueprintId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub touchpoint_id: TouchpointId,
    /// From 1.
    pub position: i32,
}

no_relations!();
