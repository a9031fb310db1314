//! Somebody tried a touchpoint against the needs of the persona.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, BlueprintId, EvaluationId, TouchpointId},
    words::Messages,
};

/// Somebody tried a touchpoint against the needs of the persona.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "evaluation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvaluationId,
    pub blueprint_id: BlueprintId,
    pub touchpoint_id: TouchpointId,
    pub held_on: Date,
    /// Who tried it: an account, or a name.
    pub by_account_id: Option<AccountId>,
    pub by_name: Option<String>,
    /// Empty where nobody looked.
    pub messages: Option<Messages>,
    /// Where something else is said, where messages are CONFLICTING.
    pub conflicts_with_id: Option<TouchpointId>,
    /// What is in conflict.
    pub conflict: Option<String>,
    pub note: Option<String>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
