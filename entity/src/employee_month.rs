//! The month before which everything that employees answered is closed: one row.

use sea_orm::entity::prelude::*;

/// The month before which everything that employees answered is closed: one row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "employee_month")]
pub struct Model {
    /// Its first day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub running: Date,
}

no_relations!();
