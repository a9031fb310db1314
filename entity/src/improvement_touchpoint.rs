//! A touchpoint that an improvement is about.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, ImprovementId, TouchpointId};

/// A touchpoint that an improvement is about.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "improvement_touchpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub improvement_id: ImprovementId,
    pub blueprint_id: BlueprintId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub touchpoint_id: TouchpointId,
    /// From 1.
    pub position: i32,
}

no_relations!();
