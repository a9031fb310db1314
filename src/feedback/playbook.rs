//! Playbooks: what the organisation does about the answers of each group, and within how many days.

use std::collections::HashMap;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{feedback, id::PlaybookId, playbook, words::FeedbackGroup};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::rules;
use crate::{
    access::{Caller, Permit, expect_known_version},
    error::{Error, Reason, Result},
    input::Faults,
    policy::{Action, RowTies},
};

/// Longest time until a follow-up is due, in days.
const LONGEST: i32 = 365;

/// The playbook of one group of answers.
#[derive(InputObject)]
pub struct PlaybookSetInput {
    /// An id made by the client (a UUID of version 7) for a new playbook, so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// The version of the group's playbook that is replaced; absent where you know of none. Where there is one that
    /// you did not name, and it differs, that is a CONFLICT.
    pub expected_version: Option<i32>,
    /// The group.
    pub group: FeedbackGroup,
    /// The instructions.
    pub text: String,
    /// Days from the answer until its follow-up is due, from 0 to 365; for answers recorded from now on.
    pub due_days: i32,
    /// Of a hundred answers whose respondent is known, about how many get a follow-up, chosen at random; for answers
    /// recorded from now on. Absent keeps it; 100 for a new playbook.
    pub follow_up_percent: MaybeUndefined<i32>,
}

/// Makes or replaces the playbook of a group.
pub async fn set_playbook(caller: &Caller, input: PlaybookSetInput) -> Result<playbook::Model> {
    let mut faults = Faults::default();
    let id: PlaybookId = faults.parse_or_make_id(input.id.as_ref());
    let percent = faults
        .given("followUpPercent", &input.follow_up_percent)
        .copied();
    let text = check_content(&mut faults, &input.text, input.due_days, percent);
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    let of_group = playbook::Entity::find()
        .filter(playbook::Column::AnswerGroup.eq(input.group))
        .one(permit.tx())
        .await?;
    let row = match of_group {
        Some(before) => replace_playbook(&mut permit, &before, &input, text).await?,
        None => insert_first_playbook(&mut permit, id, &input, text).await?,
    };
    permit.commit().await?;
    Ok(row)
}

/// Checks what a playbook says; gives its text.
pub fn check_content(
    faults: &mut Faults,
    text: &str,
    due_days: i32,
    follow_up_percent: Option<i32>,
) -> String {
    let text = faults.check_required_text("text", text);
    faults.check_within("dueDays", Some(due_days), 0..=LONGEST);
    faults.check_within("followUpPercent", follow_up_percent, 0..=100);
    text
}

async fn insert_first_playbook(
    permit: &mut Permit<'_>,
    id: PlaybookId,
    input: &PlaybookSetInput,
    text: String,
) -> Result<playbook::Model> {
    if input.expected_version.is_some() {
        let message = "This group has no playbook yet.";
        return Err(Error::conflict(
            "expectedVersion",
            Reason::VersionStale,
            message,
        ));
    }
    permit
        // No row is "the same" here: had this id made a playbook of the group, it would have been found by the group.
        .find_already_created::<playbook::Entity>(input.id.as_ref(), id, |_| false)
        .await?;
    permit
        .insert::<playbook::Entity>(playbook::ActiveModel {
            id: Set(id),
            answer_group: Set(input.group),
            text: Set(text),
            due_days: Set(input.due_days),
            follow_up_percent: Set(input.follow_up_percent.value().copied().unwrap_or(100)),
            created_at: Set(permit.caller.now),
            version: Set(1),
        })
        .await
}

async fn replace_playbook(
    permit: &mut Permit<'_>,
    before: &playbook::Model,
    input: &PlaybookSetInput,
    text: String,
) -> Result<playbook::Model> {
    let percent = input.follow_up_percent.value().copied();
    let percent = percent.unwrap_or(before.follow_up_percent);
    let same = before.text == text
        && before.due_days == input.due_days
        && before.follow_up_percent == percent;
    let there_is = "This group has a playbook already.";
    expect_known_version::<playbook::Entity>(before, input.expected_version, same, there_is)?;
    let change = playbook::ActiveModel {
        text: Set(text),
        due_days: Set(input.due_days),
        follow_up_percent: Set(percent),
        ..Default::default()
    };
    permit.update::<playbook::Entity>(before, change).await
}

/// The playbooks by the group that each is for.
pub(super) struct Playbooks(HashMap<FeedbackGroup, playbook::Model>);

impl Playbooks {
    pub(super) async fn load(permit: &Permit<'_>) -> Result<Self> {
        let rows = playbook::Entity::find().all(permit.tx()).await?;
        let rows = rows.into_iter().map(|row| (row.answer_group, row));
        Ok(Self(rows.collect()))
    }

    /// Within how many days the follow-up of an answer of a group is due.
    pub(super) fn due_days(&self, group: FeedbackGroup) -> i32 {
        let playbook = self.0.get(&group);
        playbook.map_or_else(
            || rules::default_due_days(group),
            |playbook| playbook.due_days,
        )
    }

    /// Whether an answer whose giver is known is followed up.
    pub(super) fn follows_up(&self, answer: &feedback::Model) -> bool {
        let percent = self.0.get(&answer.answer_group);
        let percent = percent.map_or(100, |playbook| playbook.follow_up_percent);
        rules::is_within_share(answer.id, percent)
    }
}
