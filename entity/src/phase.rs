//! A column group of a blueprint: order of display, not of the flow.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, PhaseId},
    words::Stage,
};

/// A column group of a blueprint: order of display, not of the flow.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "phase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PhaseId,
    pub blueprint_id: BlueprintId,
    pub key: String,
    pub name: String,
    pub position: i32,
    pub stage: Stage,
    pub customer_goal: Option<String>,
    /// When it is and how long it lasts, in words.
    pub timing: Option<String>,
    /// What to ask there.
    pub prompt: Option<String>,
    /// What it was copied from.
    pub copied_from_id: Option<PhaseId>,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
}

no_relations!();
