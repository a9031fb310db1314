//! A segment that a persona stands for.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{PersonaId, SegmentId};

/// A segment that a persona stands for.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "persona_segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub persona_id: PersonaId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub segment_id: SegmentId,
    pub position: i32,
}

no_relations!();
