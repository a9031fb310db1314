//! A finding that is open: since when, and whether somebody dismissed it.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AccountId, BlueprintId, FindingId};

/// A finding that is open: since when, and whether somebody dismissed it.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "finding")]
pub struct Model {
    /// Its fingerprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FindingId,
    pub blueprint_id: BlueprintId,
    pub open_since: DateTimeUtc,
    pub dismissed_at: Option<DateTimeUtc>,
    /// Empty where the command line did.
    pub dismissed_by_id: Option<AccountId>,
    pub reason: Option<String>,
}

no_relations!();
