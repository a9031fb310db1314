//! Loads what answers of customers come to, and what is done about them.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use chrono::NaiveDate;
use entity::{
    follow_up,
    id::{FeedbackId, TouchpointId},
    playbook,
    words::FeedbackGroup,
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::Rows;
use crate::{
    error::{Error, Result},
    feedback::summary::{Summary, at_touchpoints},
};

/// What is done about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FollowedUp(pub FeedbackId);

impl Loader<FollowedUp> for Rows {
    type Value = follow_up::Model;
    type Error = Error;

    async fn load(&self, keys: &[FollowedUp]) -> Result<HashMap<FollowedUp, Self::Value>> {
        let rows = self
            .caller
            .select::<follow_up::Entity>()
            .filter(follow_up::Column::FeedbackId.is_in(keys.iter().map(|key| key.0)))
            .all(self.caller.reader())
            .await?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| (FollowedUp(row.feedback_id), row)).collect())
    }
}

/// What to do about the answers of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaybookOf(pub FeedbackGroup);

impl Loader<PlaybookOf> for Rows {
    type Value = playbook::Model;
    type Error = Error;

    async fn load(&self, keys: &[PlaybookOf]) -> Result<HashMap<PlaybookOf, Self::Value>> {
        let rows = self
            .caller
            .select::<playbook::Entity>()
            .filter(playbook::Column::AnswerGroup.is_in(keys.iter().map(|key| key.0)))
            .all(self.caller.reader())
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

impl Loader<AnsweredAt> for Rows {
    type Value = Summary;
    type Error = Error;

    async fn load(&self, keys: &[AnsweredAt]) -> Result<HashMap<AnsweredAt, Self::Value>> {
        let mut periods: HashMap<_, Vec<TouchpointId>> = HashMap::new();
        for key in keys {
            let period = periods.entry((key.from, key.to)).or_default();
            period.push(key.touchpoint);
        }
        let mut answered = HashMap::new();
        for ((from, to), touchpoints) in periods {
            let at = at_touchpoints(&self.caller, &touchpoints, (from, to)).await?;
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
