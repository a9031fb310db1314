//! A KPI judges a touchpoint, a phase or a whole blueprint for some days.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, KpiId, KpiLinkId, PhaseId, TouchpointId};

/// A KPI judges a touchpoint, a phase or a whole blueprint for some days.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "kpi_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KpiLinkId,
    pub kpi_id: KpiId,
    pub blueprint_id: BlueprintId,
    pub phase_id: Option<PhaseId>,
    pub touchpoint_id: Option<TouchpointId>,
    pub valid_from: Option<Date>,
    /// The first day on which it no longer holds.
    pub valid_to: Option<Date>,
    pub weight: Option<f64>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
