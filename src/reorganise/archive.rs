//! A department is archived, and another takes over what it held.

use async_graphql::{ID, InputObject};
use entity::{department, id::DepartmentId};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};

use super::{
    carry_out::{carry_out, give_ownership},
    holdings::locked,
};
use crate::{
    access::{Caller, Permit, expect_version},
    department::{is_within, lock_tree, parents},
    error::{Error, Reason, Result, UserErrorCode},
    input::Faults,
    policy::Action,
};

/// The end of a department, and who takes over what it holds.
#[derive(InputObject)]
pub struct DepartmentArchiveInput {
    /// Which one.
    pub id: ID,
    /// The version that you read; another one is a CONFLICT.
    pub expected_version: i32,
    /// The department that takes over its responsibilities, KPIs and blueprints; needed where there are any.
    pub successor_id: Option<ID>,
}

/// Archives a department; its successor takes over what it holds.
pub async fn archive(caller: &Caller, input: DepartmentArchiveInput) -> Result<department::Model> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.id("id", &input.id);
    let successor: Option<DepartmentId> =
        faults.optional_id("successorId", input.successor_id.as_ref());
    faults.check()?;
    let mut permit = lock_tree(caller, id).await?;
    let row = permit.read::<department::Entity>("id", id).await?;
    expect_version::<department::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_some() {
        return Ok(row);
    }
    if let Some(successor) = successor {
        check_successor(&permit, id, successor).await?;
        permit.concerns(successor);
    }
    refuse_with_children(&permit, &row).await?;
    let holdings = locked(&mut permit, id, successor).await?;
    let row = permit
        .fetch::<department::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    expect_version::<department::Entity>(&row, input.expected_version)?;
    if successor.is_none() && holdings.needs_successor() {
        return Err(successor_needed());
    }
    let steps = holdings.plan(successor);
    carry_out(&mut permit, steps, id, successor).await?;
    if let Some(successor) = successor {
        give_ownership(&mut permit, &holdings, successor).await?;
    }
    let change = department::ActiveModel {
        successor_id: Set(successor),
        archived_at: Set(Some(caller.now)),
        ..Default::default()
    };
    let row = permit.update::<department::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

async fn check_successor(
    permit: &Permit<'_>,
    id: DepartmentId,
    successor: DepartmentId,
) -> Result<()> {
    permit
        .read_live::<department::Entity>("successorId", successor)
        .await?;
    if is_within(&parents(permit).await?, successor, id) {
        return Err(Error::fault(
            "successorId",
            UserErrorCode::Invalid,
            Some(Reason::Cycle),
            "The successor cannot be the department itself or one below it.",
        ));
    }
    Ok(())
}

async fn refuse_with_children(permit: &Permit<'_>, row: &department::Model) -> Result<()> {
    let below = department::Entity::find()
        .filter(department::Column::ParentId.eq(row.id))
        .filter(department::Column::ArchivedAt.is_null())
        .count(permit.tx())
        .await?;
    if below == 0 {
        return Ok(());
    }
    let message =
        format!("There are {below} departments that are part of it. Move or archive them first.");
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}

// How much it is stays unsaid: some of it may lie where the caller does not read.
fn successor_needed() -> Error {
    Error::fault(
        "successorId",
        UserErrorCode::Required,
        Some(Reason::SuccessorNeeded),
        "It holds responsibilities, KPIs or blueprints: say who takes over.",
    )
}
