//! An edge of the journey graph.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, TouchpointId, TransitionId},
    words::{Basis, End, TransitionKind},
};

/// An edge of the journey graph.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "transition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransitionId,
    pub blueprint_id: BlueprintId,
    pub kind: TransitionKind,
    pub end: Option<End>,
    pub from_touchpoint_id: Option<TouchpointId>,
    pub to_touchpoint_id: Option<TouchpointId>,
    pub condition: Option<String>,
    pub max_wait_minutes: Option<i32>,
    pub basis: Basis,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
