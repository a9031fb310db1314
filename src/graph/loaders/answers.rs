//! Loads what answers of customers come to, and what is done about them.

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
    batch::Key,
    error::Result,
    feedback::summary::{Summary, at_touchpoints},
};

/// What is done about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowedUp(pub FeedbackId);

impl Key for FollowedUp {
    type Value = follow_up::Model;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<follow_up::Entity>()
            .filter(follow_up::Column::FeedbackId.is_in(keys.iter().map(|key| key.0)))
            .all(caller.reader())
            .await?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| (FollowedUp(row.feedback_id), row)).collect())
    }
}

/// What to do about the answers of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaybookOf(pub FeedbackGroup);

impl Key for PlaybookOf {
    type Value = playbook::Model;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let rows = caller
            .select::<playbook::Entity>()
            .filter(playbook::Column::AnswerGroup.is_in(keys.iter().map(|key| key.0)))
            .all(caller.reader())
            .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| (PlaybookOf(row.answer_group), row))
            .collect())
    }
}

/// What the answers at a touchpoint come to, from a day on and before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnsweredAt {
    pub touchpoint: TouchpointId,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl Key for AnsweredAt {
    type Value = Summary;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let mut periods: HashMap<_, Vec<TouchpointId>> = HashMap::new();
        for key in keys {
            let period = periods.entry((key.from, key.to)).or_default();
            period.push(key.touchpoint);
        }
        let mut answered = HashMap::new();
        for ((from, to), touchpoints) in periods {
            let at = at_touchpoints(caller, &touchpoints, (from, to)).await?;
            answered.extend(at.into_iter().map(|(touchpoint, summary)| {
                let key = AnsweredAt {
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
