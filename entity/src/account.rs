//! A person or a service.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{id::AccountId, words::OrganisationRole};

/// A person or a service.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    pub key: String,
    pub name: String,
    /// Signs in with tokens only, never with a password.
    pub service: bool,
    pub role: OrganisationRole,
    /// Argon2id in PHC form; empty where no password is set.
    #[serde(skip)]
    pub password_hash: Option<String>,
    pub created_at: DateTimeUtc,
    /// Deactivated since.
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
}

no_relations!();
