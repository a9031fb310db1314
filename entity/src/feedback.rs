//! A customer's answer: a score at a touchpoint or on the relationship as a whole.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{
        AccountId, BlueprintId, ChannelId, DepartmentId, FeedbackId, PersonaId, SegmentId,
        TouchpointId,
    },
    words::{FeedbackGroup, FeedbackScale, FollowUpCause, Subject},
};

/// A customer's answer: a score at a touchpoint or on the relationship as a whole. Who gave it and what they wrote is
/// never written out with the row.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "feedback")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FeedbackId,
    /// What the system that asked calls the answer: one of each recorder. Erased, it is a digest of that.
    pub external_id: Option<String>,
    /// Always CUSTOMER: what employees answer is kept elsewhere.
    pub subject: Subject,
    pub scale: FeedbackScale,
    pub score: i32,
    /// What the score says on its scale.
    pub answer_group: FeedbackGroup,
    pub blueprint_id: Option<BlueprintId>,
    /// Empty for an answer on the relationship as a whole.
    pub touchpoint_id: Option<TouchpointId>,
    pub persona_id: Option<PersonaId>,
    pub channel_id: Option<ChannelId>,
    pub segment_id: Option<SegmentId>,
    pub answered_at: DateTimeUtc,
    /// The day of the answer in the deployment's time zone.
    pub answered_on: Date,
    /// The day of the contact that it is about, where that is known.
    pub met_on: Option<Date>,
    /// The cause, where the customer named it. What is found out later is the follow-up's.
    pub cause: Option<FollowUpCause>,
    /// The department that looks after it: the one ACCOUNTABLE at the contact, that which a rule or the owner of what
    /// it is about names, who took over from it, or to which a CX manager handed it.
    pub department_id: Option<DepartmentId>,
    #[serde(skip)]
    pub respondent: Option<String>,
    #[serde(skip)]
    pub contact: Option<String>,
    #[serde(skip)]
    pub comment: Option<String>,
    /// Since when nobody knows any more who gave it.
    pub erased_at: Option<DateTimeUtc>,
    pub recorded_at: DateTimeUtc,
    pub recorded_by_account_id: Option<AccountId>,
}

no_relations!();
