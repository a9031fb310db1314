//! A source that an insight rests on.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, InsightId, SourceId};

/// A source that an insight rests on.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "insight_source")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub insight_id: InsightId,
    pub blueprint_id: BlueprintId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: SourceId,
    /// From 1.
    pub position: i32,
}

no_relations!();
