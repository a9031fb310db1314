//! A department, with all below it, to which a service token is limited. A token without any is not limited.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{DepartmentId, ServiceTokenId};

/// A department, with all below it, to which a service token is limited.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "service_token_department")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_token_id: ServiceTokenId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub department_id: DepartmentId,
    pub position: i32,
}

no_relations!();
