//! A department that an audit event concerns; its leads may read the event.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AuditEventId, DepartmentId};

/// A department that an audit event concerns; its leads may read the event.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "audit_event_department")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub audit_event_id: AuditEventId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub department_id: DepartmentId,
}

no_relations!();
