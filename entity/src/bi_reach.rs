//! A part of how far a BI login may go with an action, as the policy had it for the login's account.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, DepartmentId};

/// A part of how far a BI login may go with an action: everything, through a department, or what was granted by name.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "bi_reach")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub login: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// The action, as the policy names it.
    pub action: String,
    pub everything: bool,
    /// How the department has to stand to a thing, as the policy names it.
    pub relation: Option<String>,
    pub department_id: Option<DepartmentId>,
    /// The account to which things are granted by name.
    pub granted_account_id: Option<AccountId>,
}

no_relations!();
