//! What to do about the answers of one group, and within how many days.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{id::PlaybookId, words::FeedbackGroup};

/// What to do about the answers of one group, and within how many days.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "playbook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlaybookId,
    pub answer_group: FeedbackGroup,
    pub text: String,
    /// Days from the answer until its follow-up is due.
    pub due_days: i32,
    /// Of a hundred answers whose giver is known, how many are followed up.
    pub follow_up_percent: i32,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
