//! Failures counted for one subject (an account's key, a network, an origin, a repeated guess or a session), for the
//! growing delay.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// Failures counted for one subject (an account's key, a network, an origin, a repeated guess or a session), for the
/// growing delay.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "sign_in_throttle")]
pub struct Model {
    /// SHA-256 of what is counted, so that a typed secret is not kept in clear.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Vec<u8>,
    pub failures: i32,
    pub last_failed_at: DateTimeUtc,
    pub blocked_until: DateTimeUtc,
}

no_relations!();
