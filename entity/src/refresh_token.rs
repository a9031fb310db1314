//! One refresh token of a session, hashed. A rotated one is kept so that its reuse is noticed.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::SessionId;

/// One refresh token of a session, hashed. A rotated one is kept so that its reuse is noticed.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub session_id: SessionId,
    pub issued_at: DateTimeUtc,
    pub rotated_at: Option<DateTimeUtc>,
}

no_relations!();
