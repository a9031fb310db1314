//! When the open findings of a blueprint were noted last.

use sea_orm::entity::prelude::*;

use crate::id::BlueprintId;

/// When the open findings of a blueprint were noted last.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "finding_renewal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub blueprint_id: BlueprintId,
    /// The revision that they were found in.
    pub revision: i32,
    /// The day that they were judged for.
    pub day: Date,
    /// Counts the times, so that of two at once one gives way.
    pub number: i32,
}

no_relations!();
