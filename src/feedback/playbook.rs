//! Playbooks: what the organisation does about the answers of each group, and within how many days.

use std::collections::HashMap;

use async_graphql::{ID, InputObject};
use entity::{id::PlaybookId, playbook, words::FeedbackGroup};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use super::rules;
use crate::{
    access::{Caller, Permit, expect_version},
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
}

/// Makes or replaces the playbook of a group.
pub async fn set_playbook(caller: &Caller, input: PlaybookSetInput) -> Result<playbook::Model> {
    let mut faults = Faults::default();
    let id: PlaybookId = faults.parse_or_make_id(input.id.as_ref());
    let text = faults.check_required_text("text", &input.text);
    faults.check_within("dueDays", Some(input.due_days), 0..=LONGEST);
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
    match input.expected_version {
        Some(expected) => expect_version::<playbook::Entity>(before, expected)?,
        // A retry, or somebody else who wanted the same.
        None if (&before.text, before.due_days) == (&text, input.due_days) => {}
        None => {
            let message = "This group has a playbook already. Read it and send its `version` as `expectedVersion`.";
            let conflict = Error::conflict("expectedVersion", Reason::VersionStale, message);
            return Err(conflict.with_current(before.id.0));
        }
    }
    let change = playbook::ActiveModel {
        text: Set(text),
        due_days: Set(input.due_days),
        ..Default::default()
    };
    permit.update::<playbook::Entity>(before, change).await
}

/// Within how many days the follow-up of an answer of each group is due.
pub(super) struct DueDays(HashMap<FeedbackGroup, i32>);

impl DueDays {
    pub(super) async fn load(permit: &Permit<'_>) -> Result<Self> {
        let rows = playbook::Entity::find().all(permit.tx()).await?;
        let rows = rows.into_iter().map(|row| (row.answer_group, row.due_days));
        Ok(Self(rows.collect()))
    }

    pub(super) fn for_group(&self, group: FeedbackGroup) -> i32 {
        let days = self.0.get(&group).copied();
        days.unwrap_or_else(|| rules::default_due_days(group))
    }
}
