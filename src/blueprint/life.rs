//! The life of a blueprint: draft, in review, published, archived. Which step leads where is one table.

use async_graphql::{ID, InputObject};
use entity::{
    blueprint,
    id::BlueprintId,
    words::BlueprintStatus::{self, Archived, Draft, InReview, Published},
};
use sea_orm::Set;

use crate::{
    access::{Caller, Permit, expect_version},
    error::{Error, Reason, Result},
    input::{self, AtVersionInput, Faults},
    policy::Action,
};

/// A step in the life of a blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlueprintStep {
    Submit,
    SendBack,
    Publish,
    Archive,
    Unarchive,
}

impl BlueprintStep {
    fn required_action(self) -> Action {
        match self {
            Self::Submit => Action::ShapeBlueprint,
            Self::SendBack | Self::Publish | Self::Archive | Self::Unarchive => {
                Action::GovernBlueprint
            }
        }
    }

    /// Where the step leads from a status; nothing where it cannot be taken. `archived_from` is the status
    /// that an archived blueprint goes back to.
    fn target_status(
        self,
        from: BlueprintStatus,
        archived_from: Option<BlueprintStatus>,
    ) -> Option<BlueprintStatus> {
        match (self, from) {
            (Self::Submit, Draft) => Some(InReview),
            (Self::SendBack, InReview) => Some(Draft),
            (Self::Publish, Draft | InReview | Published) => Some(Published),
            (Self::Archive, Draft | InReview | Published) => Some(Archived),
            (Self::Unarchive, Archived) => Some(archived_from.unwrap_or(Draft)),
            _ => None,
        }
    }

    fn target_status_or_conflict(self, row: &blueprint::Model) -> Result<BlueprintStatus> {
        self.target_status(row.status, row.archived_from)
            .ok_or_else(|| {
                let message = format!(
                    "It is {}; this step cannot be taken from there.",
                    row.status.as_str()
                );
                Error::conflict("id", Reason::WrongStatus, message).with_current(row.id.0)
            })
    }
}

/// The sending back of a blueprint that is in review.
#[derive(InputObject)]
pub struct BlueprintSendBackInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The reason, for those who work on it: shown until it is submitted again.
    pub reason: Option<String>,
}

/// Sends a blueprint in review back to its authors.
pub async fn send_back(
    caller: &Caller,
    input: &BlueprintSendBackInput,
) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_id("id", &input.id);
    let reason = faults.check_optional_text("reason", input.reason.as_deref());
    faults.check()?;
    let step = BlueprintStep::SendBack;
    let (row, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(step.required_action(), "id", id)
        .await?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    let status = step.target_status_or_conflict(&row)?;
    let change = blueprint::ActiveModel {
        status: Set(status),
        sent_back_reason: Set(reason),
        ..Default::default()
    };
    let row = permit.update::<blueprint::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Takes a step that only changes where the blueprint stands. Publishing does more, in its own room.
pub async fn change_status(
    caller: &Caller,
    step: BlueprintStep,
    input: &AtVersionInput,
) -> Result<blueprint::Model> {
    let id: BlueprintId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(step.required_action(), "id", id)
        .await?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    let row = change_status_of_fetched(&mut permit, step, &row).await?;
    permit.commit().await?;
    Ok(row)
}

/// Takes a step with a blueprint under its lock.
pub async fn change_status_of_fetched(
    permit: &mut Permit<'_>,
    step: BlueprintStep,
    row: &blueprint::Model,
) -> Result<blueprint::Model> {
    let status = step.target_status_or_conflict(row)?;
    let mut change = blueprint::ActiveModel {
        status: Set(status),
        ..Default::default()
    };
    match step {
        BlueprintStep::Publish => {
            change.published_number = Set(Some(row.published_number.unwrap_or(0) + 1));
            change.published_revision = Set(Some(row.revision));
            change.sent_back_reason = Set(None);
        }
        BlueprintStep::Archive => {
            change.archived_from = Set(Some(row.status));
            change.archived_at = Set(Some(permit.caller.now));
        }
        BlueprintStep::Unarchive => {
            change.archived_from = Set(None);
            change.archived_at = Set(None);
        }
        BlueprintStep::Submit => change.sent_back_reason = Set(None),
        BlueprintStep::SendBack => {}
    }
    permit.update::<blueprint::Entity>(row, change).await
}
