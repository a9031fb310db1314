//! A department is archived, and another takes over what it held; or somebody asks what that would change.

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject};
use entity::{department, id::DepartmentId};

use super::{
    holdings::Holdings,
    impact::ReorganisationImpact,
    question,
    takeover::{DepartmentToEnd, PlannedTakeover, refuse_ending_successor},
};
use crate::{
    access::Caller,
    department::open_tree_permit,
    error::{Error, Reason, Result},
    input::{self, Faults},
    policy::Action,
};

/// The archiving of a department, and its successor.
#[derive(InputObject)]
pub struct DepartmentArchiveInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The department that takes over its responsibilities, KPIs, blueprints and open follow-ups; required if there are
    /// any.
    pub successor_id: Option<ID>,
}

/// Archives a department; its successor takes over what it holds.
pub async fn archive(
    caller: &Caller,
    input: DepartmentArchiveInput,
) -> Result<(department::Model, ReorganisationImpact)> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.parse_id("id", &input.id);
    let successor: Option<DepartmentId> =
        faults.parse_optional_id("successorId", input.successor_id.as_ref());
    faults.check()?;
    // Under the lock of the tree, or a department could be moved below this one while it is archived.
    let mut permit = open_tree_permit(caller, "id", id).await?;
    let going = DepartmentToEnd {
        path: "id".to_owned(),
        id,
        expected_version: input.expected_version,
    };
    // Not locked yet: blueprints and KPIs come first in the order of locks, and departments last, in `carry_out`.
    let row = going.load(&permit).await?;
    if row.archived_at.is_some() {
        // Archived already, perhaps by an earlier try: nothing changes any more, so the impact is empty.
        return Ok((row, ReorganisationImpact::default()));
    }
    let of = BTreeSet::from([id]);
    if let Some(successor) = successor {
        permit
            .read_unarchived_row::<department::Entity>("successorId", successor)
            .await?;
        refuse_ending_successor(permit.tx(), &of, successor).await?;
        permit.show_audit_to_leads_of(successor);
    }
    let takeover = PlannedTakeover::plan_under_lock(&mut permit, &of, successor).await?;
    refuse_with_children(&takeover.holdings, id)?;
    takeover.refuse_without_successor(successor)?;
    let (archived, impact) = takeover
        .carry_out(&mut permit, vec![going], successor)
        .await?;
    permit.commit().await?;
    let row = archived.into_iter().next().unwrap_or(row);
    Ok((row, impact))
}

/// What archiving a department would change, as far as the caller may see it.
pub async fn preview_archiving(
    caller: &Caller,
    id: &ID,
    successor: Option<&ID>,
) -> Result<Option<ReorganisationImpact>> {
    let id: DepartmentId = input::parse_id("id", id)?;
    let successor: Option<DepartmentId> = input::parse_optional_id("successorId", successor)?;
    let tx = caller.begin_snapshot().await?;
    let Some(row) =
        question::find_permitted_row::<department::Entity>(caller, &tx, Action::WhatIf, id).await?
    else {
        return Ok(None);
    };
    if row.archived_at.is_some() {
        return Ok(Some(ReorganisationImpact::default()));
    }
    let of = BTreeSet::from([id]);
    if let Some(successor) = successor {
        question::require_live_row::<department::Entity>(caller, &tx, "successorId", successor)
            .await?;
        refuse_ending_successor(&tx, &of, successor).await?;
    }
    let takeover = PlannedTakeover::plan(caller, &tx, &caller.standing, &of, successor).await?;
    tx.commit().await?;
    let checks = [
        refuse_with_children(&takeover.holdings, id),
        takeover.refuse_without_successor(successor),
    ];
    takeover.impact.with_obstacles(checks).map(Some)
}

fn refuse_with_children(holdings: &Holdings, id: DepartmentId) -> Result<()> {
    let below = holdings.children.len();
    if below == 0 {
        return Ok(());
    }
    let message =
        format!("There are {below} departments directly below it. Move or archive them first.");
    Err(Error::conflict("id", Reason::InUse, message).with_current(id.0))
}
