//! At least five answers of employees at one place, on one scale, in one block of closed months. It never changes.

use sea_orm::entity::prelude::*;

use crate::{
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};

/// At least five answers of employees at one place, on one scale, in one block of closed months. It never changes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "employee_cell")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub scale: FeedbackScale,
    /// Empty for answers on the organisation as a whole.
    pub blueprint_id: Option<BlueprintId>,
    /// Empty for answers on the relationship as a whole.
    pub touchpoint_id: Option<TouchpointId>,
    /// The first day of its block.
    pub from_day: Date,
    /// The day before which its block ends.
    pub to_day: Date,
    /// The first day of the first month that it has answers of. Nobody is told: it says when somebody was there.
    pub first_in: Date,
    pub satisfied: i32,
    pub indifferent: i32,
    pub dissatisfied: i32,
    pub score_sum: i32,
}

no_relations!();
