//! A segment that a persona stands for while in a phase; none means those of the persona.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{PhaseId, SegmentId};

/// A segment that a persona stands for while in a phase; none means those of the persona.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "phase_segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub phase_id: PhaseId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub segment_id: SegmentId,
    pub position: i32,
}

no_relations!();
