//! What is done about an answer whose giver is known.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{AccountId, FeedbackId, FollowUpId},
    words::{FollowUpCause, FollowUpState},
};

/// What is done about an answer whose giver is known. The department that does it is the feedback's.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpId,
    pub feedback_id: FeedbackId,
    pub state: FollowUpState,
    pub assignee_account_id: Option<AccountId>,
    pub due_on: Date,
    pub cause: Option<FollowUpCause>,
    /// What came of it, perhaps in the customer's words.
    pub note: Option<String>,
    /// Since when it is RESOLVED or NO_CONTACT_WANTED.
    pub closed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
