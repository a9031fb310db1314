//! A program's way in, instead of a password: it stands for its account and narrows what that may do.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, ServiceTokenId},
    json::TokenScopes,
};

/// A program's way in, instead of a password: it stands for its account and narrows what that may do.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "service_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceTokenId,
    pub account_id: AccountId,
    pub name: String,
    pub description: Option<String>,
    /// SHA-256 of the token, which itself is not kept.
    #[serde(skip)]
    pub hash: Vec<u8>,
    pub scopes: TokenScopes,
    pub created_at: DateTimeUtc,
    /// Who made it; empty where it was the command line.
    pub made_by_account_id: Option<AccountId>,
    pub expires_at: DateTimeUtc,
    /// When it was used last, to within some minutes.
    pub last_used_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
}

no_relations!();
