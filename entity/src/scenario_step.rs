//! A step of a scenario: a touchpoint in its place, which may come more than once.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, ScenarioId, TouchpointId};

/// A step of a scenario: a touchpoint in its place, which may come more than once.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "scenario_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub scenario_id: ScenarioId,
    pub blueprint_id: BlueprintId,
    pub touchpoint_id: TouchpointId,
    /// From 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
}

no_relations!();
