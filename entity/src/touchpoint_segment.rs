//! A segment in a touchpoint's audience; none means everybody.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{SegmentId, TouchpointId};

/// A segment in a touchpoint's audience; none means everybody.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "touchpoint_segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub touchpoint_id: TouchpointId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub segment_id: SegmentId,
    pub position: i32,
}

no_relations!();
