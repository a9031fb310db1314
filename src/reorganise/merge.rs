//! Several departments become one: all are archived in one act, or none, and their successor takes over what they
//! held and the departments below them; or somebody asks what that would change.

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject};
use entity::{department, id::DepartmentId};
use sea_orm::Set;

use super::{
    impact::ReorganisationImpact,
    question,
    takeover::{DepartmentToEnd, PlannedTakeover, refuse_ending_successor},
};
use crate::{
    access::{Caller, Permit, require_unarchived},
    department::open_tree_permit,
    error::{Error, Result, UserErrorCode},
    input::{AtVersionInput, Faults, LIST},
    policy::Action,
};

/// The merging of departments into a successor.
#[derive(InputObject)]
pub struct DepartmentMergeInput {
    /// The departments to archive, each with the version that you read; at most 50.
    pub departments: Vec<AtVersionInput>,
    /// The department that takes over all that they hold, and the departments directly below them.
    pub successor_id: ID,
}

/// What a merger did.
#[derive(Debug)]
pub struct MergeResult {
    /// Who took over.
    pub successor: department::Model,
    /// Those that ended, in the order of their ids.
    pub departments: Vec<department::Model>,
    /// Everything else that changed.
    pub impact: ReorganisationImpact,
}

/// Merges departments into another.
pub async fn merge(caller: &Caller, input: DepartmentMergeInput) -> Result<MergeResult> {
    let mut faults = Faults::default();
    let going = parse_ending_departments(&mut faults, &input.departments);
    let successor: DepartmentId = faults.parse_id("successorId", &input.successor_id);
    faults.check()?;
    let first = going
        .first()
        .ok_or_else(|| nothing_to_merge_error("departments"))?;
    let of: BTreeSet<DepartmentId> = going.iter().map(|one| one.id).collect();
    // One lock for the whole tree, so any of the departments can be named for it.
    let mut permit = open_tree_permit(caller, &first.path, first.id).await?;
    for one in &going {
        let row = one.load(&permit).await?;
        require_unarchived::<department::Entity>(&one.path, &row)?;
    }
    let into = permit
        .read_unarchived_row::<department::Entity>("successorId", successor)
        .await?;
    refuse_ending_successor(permit.tx(), &of, successor).await?;
    permit.show_audit_to_leads_of(successor);
    let takeover = PlannedTakeover::plan_under_lock(&mut permit, &of, Some(successor)).await?;
    let takeover = add_moved_children_to_impact(takeover);
    // Before the departments are archived, as nothing live lies below an archived one.
    move_children(&mut permit, &takeover.impact, successor).await?;
    let (departments, impact) = takeover
        .carry_out(&mut permit, going, Some(successor))
        .await?;
    permit.commit().await?;
    Ok(MergeResult {
        successor: into,
        departments,
        impact,
    })
}

/// What merging departments would change, as far as the caller may see it.
pub async fn preview_merge(
    caller: &Caller,
    ids: &[ID],
    successor: &ID,
) -> Result<Option<ReorganisationImpact>> {
    let mut faults = Faults::default();
    let of: Vec<DepartmentId> = faults.parse_ids("ids", ids);
    let successor: DepartmentId = faults.parse_id("successorId", successor);
    faults.check()?;
    if of.is_empty() {
        return Err(nothing_to_merge_error("ids"));
    }
    let tx = caller.begin_snapshot().await?;
    for (at, id) in of.iter().enumerate() {
        let asked =
            question::find_permitted_row::<department::Entity>(caller, &tx, Action::WhatIf, *id)
                .await?;
        let Some(row) = asked else { return Ok(None) };
        require_unarchived::<department::Entity>(&format!("ids.{at}"), &row)?;
    }
    let of: BTreeSet<DepartmentId> = of.into_iter().collect();
    question::require_live_row::<department::Entity>(caller, &tx, "successorId", successor).await?;
    refuse_ending_successor(&tx, &of, successor).await?;
    let takeover =
        PlannedTakeover::plan(caller, &tx, &caller.standing, &of, Some(successor)).await?;
    tx.commit().await?;
    Ok(Some(add_moved_children_to_impact(takeover).impact))
}

/// The departments that are to end, each once.
fn parse_ending_departments(faults: &mut Faults, given: &[AtVersionInput]) -> Vec<DepartmentToEnd> {
    faults.check_list_length("departments", given.len());
    // Those beyond the limit are not looked at: their number is a fault already.
    let given = given.iter().take(LIST).enumerate();
    let mut known = BTreeSet::new();
    let going = given.map(|(at, one)| {
        let path = format!("departments.{at}.id");
        let id = faults.parse_id(&path, &one.id);
        let expected_version = one.expected_version;
        DepartmentToEnd {
            path,
            id,
            expected_version,
        }
    });
    going.filter(|one| known.insert(one.id)).collect()
}

fn nothing_to_merge_error(field: &str) -> Error {
    let message = "Name the departments to merge.";
    Error::fault(field, UserErrorCode::Required, None, message)
}

/// Notes in the impact that the departments below those that end become part of the successor; [`move_children`] moves
/// them.
fn add_moved_children_to_impact(mut takeover: PlannedTakeover) -> PlannedTakeover {
    let children = takeover.holdings.children.iter();
    takeover.impact.departments_moved = children.map(|child| child.id).collect();
    takeover
}

async fn move_children(
    permit: &mut Permit<'_>,
    impact: &ReorganisationImpact,
    successor: DepartmentId,
) -> Result<()> {
    for child in &impact.departments_moved {
        let child = permit
            .fetch_locked::<department::Entity>(Action::KeepOrganisation, "departments", *child)
            .await?;
        let change = department::ActiveModel {
            parent_id: Set(Some(successor)),
            ..Default::default()
        };
        permit.update::<department::Entity>(&child, change).await?;
    }
    Ok(())
}
