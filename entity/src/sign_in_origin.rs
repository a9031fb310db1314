//! A network from which an account has signed in, hashed with the deployment's secret.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::AccountId;

/// A network from which an account has signed in, hashed with the deployment's secret.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "sign_in_origin")]
pub struct Model {
    /// HMAC of the account's key and the network: neither is to be had from it without the secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub account_id: AccountId,
    pub last_used_at: DateTimeUtc,
}

no_relations!();
