//! What was measured of a KPI at one place in one period of its cadence, added up. Kept with every measurement, so that
//! the current figure of a KPI costs a few rows however often it is measured.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, KpiId, SegmentId, TouchpointId};

/// What was measured of a KPI at one place in one period of its cadence, added up. The nil id stands for every
/// touchpoint, channel or segment.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, entity_derive::FromCells)]
#[sea_orm(table_name = "kpi_period")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi_id: KpiId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub touchpoint_id: TouchpointId,
    /// The first day of the period.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period_start: Date,
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_id: ChannelId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub segment_id: SegmentId,
    /// How many values there are.
    pub value_count: i32,
    /// Σ value, and what rounding took from it; so with every sum.
    pub value_sum: f64,
    pub value_lost: f64,
    /// Σ value × weight: the sample size, 1 where it is not known.
    pub weighted_sum: f64,
    pub weighted_lost: f64,
    pub weight: f64,
    pub numerator_sum: f64,
    pub numerator_lost: f64,
    pub denominator_sum: f64,
    pub denominator_lost: f64,
    /// How many values have no numerator and denominator.
    pub without_parts: i32,
    /// Of how many values the sample size is not known.
    pub without_sample: i32,
    /// The latest day with a value, and that value.
    pub last_day: Date,
    pub last_value: f64,
    /// The smallest value.
    pub smallest_value: f64,
}

no_relations!();
