//! A named way through a journey.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, ScenarioId},
    words::ScenarioKind,
};

/// A named way through a journey.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "scenario")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScenarioId,
    pub blueprint_id: BlueprintId,
    /// Unique in the blueprint, however its letters are cased.
    pub name: String,
    pub kind: ScenarioKind,
    pub note: Option<String>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
