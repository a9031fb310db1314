//! A thing outside of blueprints that was changed, and on which findings hang: exactly one of the three.

use sea_orm::entity::prelude::*;

use crate::id::{DepartmentId, KpiId, MarkId, PersonaId};

/// A thing outside of blueprints that was changed, and on which findings hang: exactly one of the three.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "finding_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MarkId,
    pub kpi_id: Option<KpiId>,
    pub persona_id: Option<PersonaId>,
    pub department_id: Option<DepartmentId>,
}

no_relations!();
