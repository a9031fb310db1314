//! One step in one phase.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, PhaseId, TouchpointId},
    json::{EvidenceList, Texts},
    words::{Basis, Initiator, Lane, Usage},
};

/// One step in one phase.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "touchpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TouchpointId,
    pub blueprint_id: BlueprintId,
    pub phase_id: PhaseId,
    pub key: String,
    pub name: String,
    pub position: i32,
    pub lane: Lane,
    pub customer_action: Option<String>,
    pub initiator: Option<Initiator>,
    pub contacts_per_month: Option<f64>,
    pub emotion: Option<i32>,
    pub employee_emotion: Option<i32>,
    pub importance_customer: Option<i32>,
    pub importance_organisation: Option<i32>,
    pub usage: Usage,
    pub usage_reason: Option<String>,
    pub moment_of_truth: bool,
    pub essential: bool,
    pub expected_minutes: Option<i32>,
    pub basis: Basis,
    pub evidence: EvidenceList,
    pub systems: Texts,
    pub note: Option<String>,
    /// What it was copied from.
    pub copied_from_id: Option<TouchpointId>,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
}

no_relations!();
