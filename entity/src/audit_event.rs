//! Who did what to what; append-only.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, AuditEventId, BlueprintId, ServiceTokenId},
    words::{ActorKind, AuditOutcome},
};

/// Who did what to what; append-only.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEventId,
    pub at: DateTimeUtc,
    pub actor_kind: ActorKind,
    pub actor_account_id: Option<AccountId>,
    /// The service token with which the account acted.
    pub actor_token_id: Option<ServiceTokenId>,
    /// The act, as the API names it.
    pub action: String,
    pub outcome: AuditOutcome,
    /// The kind of thing acted on, in the API's words.
    pub subject_type: Option<String>,
    pub subject_id: Option<Uuid>,
    /// The blueprint it lies in; who may not read that may not read the bodies.
    pub blueprint_id: Option<BlueprintId>,
    pub before: Option<Json>,
    pub after: Option<Json>,
    pub request_id: Option<String>,
    /// How often: repeated refusals are counted, not stored one by one.
    pub repeats: i32,
    pub last_at: DateTimeUtc,
}

no_relations!();
