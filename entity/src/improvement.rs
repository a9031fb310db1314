//! What is to become better, or has: a recommendation or an initiative.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, DepartmentId, ImprovementId},
    words::ImprovementState,
};

/// What is to become better, or has: a recommendation or an initiative.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "improvement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImprovementId,
    pub blueprint_id: BlueprintId,
    pub key: String,
    pub title: String,
    pub description: Option<String>,
    pub owner_department_id: DepartmentId,
    /// From 1 to 5; empty where nobody has estimated it.
    pub impact: Option<i32>,
    /// From 1 to 5; empty where nobody has estimated it.
    pub effort: Option<i32>,
    pub state: ImprovementState,
    /// What came of it; never empty once it is DONE or DROPPED.
    pub result: Option<String>,
    pub target_on: Option<Date>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
