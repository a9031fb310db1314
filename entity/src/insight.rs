//! What is known at a touchpoint, of a phase or of a whole blueprint.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, InsightId, PersonaId, PhaseId, TouchpointId},
    json::Texts,
    words::{Basis, InsightKind},
};

/// What is known at a touchpoint, of a phase or of a whole blueprint.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "insight")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InsightId,
    pub blueprint_id: BlueprintId,
    pub key: String,
    pub phase_id: Option<PhaseId>,
    pub touchpoint_id: Option<TouchpointId>,
    /// Empty where it holds for all.
    pub persona_id: Option<PersonaId>,
    pub kind: InsightKind,
    pub text: String,
    pub quote: bool,
    pub basis: Basis,
    /// Of a QUESTION: why, and why that.
    pub whys: Texts,
    /// Of an INFORMATION_NEED: what answers it.
    pub answer: Option<String>,
    /// Of a QUESTION: the insight that answers it.
    pub answered_by_id: Option<InsightId>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
