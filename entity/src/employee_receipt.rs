//! That an answer of an employee has been received: nothing of the answer.

use sea_orm::entity::prelude::*;

/// That an answer of an employee has been received: nothing of the answer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "employee_receipt")]
pub struct Model {
    /// A digest of what the system that asked calls the answer, and of who recorded it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
}

no_relations!();
