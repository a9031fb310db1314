//! A signed-in device: the family of its refresh tokens.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AccountId, SessionId};

/// A signed-in device: the family of its refresh tokens.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub account_id: AccountId,
    /// What the client says it is.
    pub user_agent: Option<String>,
    pub created_at: DateTimeUtc,
    pub last_used_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

no_relations!();
