//! What is measured, and how to read it.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{DepartmentId, KpiId},
    words::{AcrossParts, Aggregation, Cadence, Direction, KpiScope, KpiType, Sensitivity, Unit},
};

/// What is measured, and how to read it.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "kpi")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KpiId,
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub kpi_type: KpiType,
    pub unit: Unit,
    /// ISO 4217 code where the unit is CURRENCY.
    pub currency: Option<String>,
    pub decimals: i32,
    pub direction: Direction,
    pub aggregation: Aggregation,
    pub cadence: Cadence,
    pub owner_department_id: DepartmentId,
    pub sensitivity: Sensitivity,
    pub scope: KpiScope,
    /// From this day on its values are what the answers of feedback give, and nobody records any; empty where they are
    /// recorded.
    pub fed_from: Option<Date>,
    /// How many answers or cases a period needs to count; where it is empty, 10 if it is fed by feedback and else 1.
    pub minimum_sample: Option<i32>,
    pub across_parts: AcrossParts,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
    /// Counts the changes of what was measured of it.
    #[serde(skip)]
    pub series_revision: i32,
}

no_relations!();
