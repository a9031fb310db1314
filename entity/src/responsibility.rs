//! Touchpoint × department × role: a handshake, and its history.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, BlueprintId, DepartmentId, ResponsibilityId, TouchpointId},
    json::Texts,
    words::{ResponsibilityStatus, Role},
};

/// Touchpoint × department × role: a handshake, and its history.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "responsibility")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ResponsibilityId,
    pub blueprint_id: BlueprintId,
    pub touchpoint_id: TouchpointId,
    pub department_id: DepartmentId,
    pub role: Role,
    pub status: ResponsibilityStatus,
    pub tasks: Texts,
    pub person_id: Option<AccountId>,
    pub note: Option<String>,
    /// Empty where a CX manager proposed.
    pub proposed_by_department_id: Option<DepartmentId>,
    pub proposed_by_account_id: Option<AccountId>,
    /// The seat that it was proposed from; empty where a CX manager proposed as another party.
    pub proposed_from_department_id: Option<DepartmentId>,
    pub proposed_at: DateTimeUtc,
    /// Whom a proposal of ACCOUNTABLE replaces.
    pub replaces_id: Option<ResponsibilityId>,
    /// Why it was declined, or how it came to be declined.
    pub reason: Option<String>,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by_account_id: Option<AccountId>,
    /// In force since; empty means since ever, once accepted.
    pub valid_from: Option<DateTimeUtc>,
    /// In force until, this moment left out.
    pub valid_to: Option<DateTimeUtc>,
    /// When whoever is accountable agreed to hand over.
    pub handed_over_at: Option<DateTimeUtc>,
    pub handed_over_by_account_id: Option<AccountId>,
    /// Accepted by an import without asking the department, and not confirmed by its leads yet.
    pub unasked: bool,
    /// The suspended responsibility that it continues.
    pub resumes_id: Option<ResponsibilityId>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
