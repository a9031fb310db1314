//! An account's role in a department.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, DepartmentId, MembershipId},
    words::DepartmentRole,
};

/// An account's role in a department.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "membership")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    pub account_id: AccountId,
    pub department_id: DepartmentId,
    pub role: DepartmentRole,
    pub created_at: DateTimeUtc,
}

no_relations!();
