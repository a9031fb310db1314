//! A KPI that tells whether an improvement works.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{ImprovementId, KpiId};

/// A KPI that tells whether an improvement works.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "improvement_kpi")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub improvement_id: ImprovementId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kpi_id: KpiId,
    /// From 1.
    pub position: i32,
}

no_relations!();
