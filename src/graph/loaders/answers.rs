//! The data loaders of feedback: follow-ups, playbooks and summaries.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    follow_up,
    id::{FeedbackId, TouchpointId},
    playbook,
    words::FeedbackGroup,
};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::Caller,
    batch::LoaderKey,
    error::Result,
    feedback::summary::{AnswerSummary, summarise_touchpoints},
};

/// The follow-up of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FollowUpOf(pub FeedbackId);

impl LoaderKey for FollowUpOf {
    type Value = follow_up::Model;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<follow_up::Entity>()
            .filter(follow_up::Column::FeedbackId.is_in(keys.iter().map(|key| key.0)))
            .all(caller.connection())
            .await?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| (FollowUpOf(row.feedback_id), row)).collect())
    }
}

/// The playbook for the answers of a group: satisfied, indifferent or dissatisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlaybookOfFeedbackGroup(pub FeedbackGroup);

impl LoaderKey for PlaybookOfFeedbackGroup {
    type Value = playbook::Model;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<playbook::Entity>()
            .filter(playbook::Column::AnswerGroup.is_in(keys.iter().map(|key| key.0)))
            .all(caller.connection())
            .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| (PlaybookOfFeedbackGroup(row.answer_group), row))
            .collect())
    }
}

/// The summary of the answers at a touchpoint in the half-open interval of days `from..to`; none is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FeedbackSummaryAt {
    pub touchpoint: TouchpointId,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl LoaderKey for FeedbackSummaryAt {
    type Value = AnswerSummary;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let mut periods: HashMap<_, Vec<TouchpointId>> = HashMap::new();
        for key in keys {
            let period = periods.entry((key.from, key.to)).or_default();
            period.push(key.touchpoint);
        }
        let mut answered = HashMap::new();
        for ((from, to), touchpoints) in periods {
            let at = summarise_touchpoints(caller, &touchpoints, (from, to)).await?;
            answered.extend(at.into_iter().map(|(touchpoint, summary)| {
                let key = FeedbackSummaryAt {
                    touchpoint,
                    from,
                    to,
                };
                (key, summary)
            }));
        }
        Ok(answered)
    }
}
