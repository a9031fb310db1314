//! Something outside of a blueprint's own content that was changed, and on which findings hang: exactly one of the
//! four.

use sea_orm::entity::prelude::*;

use crate::id::{BlueprintId, DepartmentId, KpiId, MarkId, PersonaId};

/// Something outside of a blueprint's own content that was changed, and on which findings hang: exactly one of the
/// four.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "finding_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MarkId,
    pub kpi_id: Option<KpiId>,
    pub persona_id: Option<PersonaId>,
    pub department_id: Option<DepartmentId>,
    /// Where something was changed that belongs to the blueprint and is no part of it: an answer of a customer.
    pub blueprint_id: Option<BlueprintId>,
}

no_relations!();
