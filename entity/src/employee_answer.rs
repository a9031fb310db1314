//! A score that an employee gave and that no cell tells yet.

use sea_orm::entity::prelude::*;

use crate::{
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};

/// A score that an employee gave and that no cell tells yet.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "employee_answer")]
pub struct Model {
    /// Random: it says nothing of when or by whom.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub scale: FeedbackScale,
    pub score: i32,
    /// Empty for an answer on the organisation as a whole.
    pub blueprint_id: Option<BlueprintId>,
    /// Empty for an answer on the relationship as a whole.
    pub touchpoint_id: Option<TouchpointId>,
    /// The first day of the month in which it was received, in the deployment's time zone.
    pub received_in: Date,
}

no_relations!();
