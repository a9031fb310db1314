//! A value of a KPI on a day; one per natural key, a second is a correction.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AccountId, ChannelId, KpiId, MeasurementId, SegmentId, TouchpointId};

/// A value of a KPI on a day; one per natural key, a second is a correction.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "measurement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MeasurementId,
    pub kpi_id: KpiId,
    pub touchpoint_id: Option<TouchpointId>,
    pub channel_id: Option<ChannelId>,
    pub segment_id: Option<SegmentId>,
    pub measured_on: Date,
    pub value: f64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
    pub source: Option<String>,
    pub recorded_at: DateTimeUtc,
    pub recorded_by_account_id: Option<AccountId>,
    /// The correction that took its place.
    pub superseded_by_id: Option<MeasurementId>,
    /// The revision of what was measured of its KPI with which it came.
    #[serde(skip)]
    pub series_revision: i32,
}

no_relations!();
