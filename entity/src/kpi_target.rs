//! What a KPI should reach from a day on, until the next target's day.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{ChannelId, KpiId, KpiTargetId, SegmentId};

/// What a KPI should reach from a day on, until the next target's day.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "kpi_target")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KpiTargetId,
    pub kpi_id: KpiId,
    /// The channel and the segment that it is for; empty for all.
    pub channel_id: Option<ChannelId>,
    pub segment_id: Option<SegmentId>,
    pub valid_from: Date,
    /// Empty means that there is no target from this day on.
    pub value: Option<f64>,
    pub warning: Option<f64>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
