//! A role of PostgreSQL with which a BI tool reads the views, and the account that it stands for.

use sea_orm::entity::prelude::*;

use crate::id::AccountId;

/// A role of PostgreSQL with which a BI tool reads the views.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "bi_login")]
pub struct Model {
    /// The role's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub account_id: AccountId,
    /// What the standing of the account was made of when its reach was written down; empty where that was never done.
    pub signature: Option<String>,
    pub created_at: DateTimeUtc,
    /// When its reach was written down last.
    pub renewed_at: Option<DateTimeUtc>,
}

no_relations!();
