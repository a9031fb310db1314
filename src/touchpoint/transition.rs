//! Transitions: the edges of the journey graph. Cycles are legal; a step to itself is not.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    blueprint,
    id::{BlueprintId, TouchpointId, TransitionId},
    transition,
    words::{Basis, End, TransitionKind},
};
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, Set};

use super::place::require_live_touchpoint_in_blueprint;
use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    blueprint::{MOST_TRANSITIONS, refuse_if_row_limit_reached},
    error::{Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_if_given, set_or_clear},
    policy::Action,
};

/// A new transition: from a touchpoint to a touchpoint, or between one and an end of the graph.
#[derive(InputObject)]
pub struct TransitionCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the blueprint to create it in.
    pub blueprint_id: ID,
    /// The kind of movement.
    pub kind: TransitionKind,
    /// Id of the touchpoint that it leads from; absent where it comes from an end.
    pub from_id: Option<ID>,
    /// Id of the touchpoint that it leads to; absent where it leads to an end.
    pub to_id: Option<ID>,
    /// The end of the journey graph, where `fromId` or `toId` is absent.
    pub end: Option<End>,
    /// The condition on which it is taken.
    pub condition: Option<String>,
    /// The longest wait that customers accept, in minutes.
    pub max_wait_minutes: Option<i32>,
    /// Whether it was observed or is assumed.
    #[graphql(default_with = "Basis::Assumed")]
    pub basis: Basis,
}

/// Changes to a transition; its ends are fixed. Absent fields stay as they are; null clears, or is REQUIRED where
/// there is always a value.
#[derive(InputObject)]
pub struct TransitionUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The kind of movement.
    pub kind: MaybeUndefined<TransitionKind>,
    /// The condition on which it is taken.
    pub condition: MaybeUndefined<String>,
    /// The longest wait that customers accept, in minutes.
    pub max_wait_minutes: MaybeUndefined<i32>,
    /// Whether it was observed or is assumed.
    pub basis: MaybeUndefined<Basis>,
}

/// Makes a transition.
pub async fn create(caller: &Caller, input: TransitionCreateInput) -> Result<transition::Model> {
    let mut faults = Faults::default();
    let id: TransitionId = faults.parse_or_make_id(input.id.as_ref());
    let blueprint_id: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let from: Option<TouchpointId> = faults.parse_optional_id("fromId", input.from_id.as_ref());
    let to: Option<TouchpointId> = faults.parse_optional_id("toId", input.to_id.as_ref());
    let condition = faults.check_optional_text("condition", input.condition.as_deref());
    let max_wait_minutes =
        faults.check_within("maxWaitMinutes", input.max_wait_minutes, 0..=i32::MAX);
    add_transition_shape_fault(&mut faults, "", (input.kind, from, to, input.end));
    faults.check()?;
    let (blueprint, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::ShapeBlueprint, "blueprintId", blueprint_id)
        .await?;
    require_unarchived::<blueprint::Entity>("blueprintId", &blueprint)?;
    let same = |row: &transition::Model| {
        (row.from_touchpoint_id, row.to_touchpoint_id, row.end) == (from, to, input.end)
    };
    if let Some(row) = permit
        .find_already_created::<transition::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    for (field, touchpoint) in [("fromId", from), ("toId", to)] {
        require_live_touchpoint_in_blueprint(&permit, blueprint_id, field, touchpoint).await?;
    }
    let there = transition::Entity::find().filter(transition::Column::BlueprintId.eq(blueprint_id));
    refuse_if_row_limit_reached(
        &permit,
        there,
        "blueprintId",
        (MOST_TRANSITIONS, "transitions"),
    )
    .await?;
    let row = permit
        .insert::<transition::Entity>(transition::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint_id),
            kind: Set(input.kind),
            end: Set(input.end),
            from_touchpoint_id: Set(from),
            to_touchpoint_id: Set(to),
            condition: Set(condition),
            max_wait_minutes: Set(max_wait_minutes),
            basis: Set(input.basis),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Collects what is wrong with where a transition leads, or leads by its kind; `path` is the place of the transition
/// itself.
pub fn add_transition_shape_fault(
    faults: &mut Faults,
    path: &str,
    (kind, from, to, end): (
        TransitionKind,
        Option<TouchpointId>,
        Option<TouchpointId>,
        Option<End>,
    ),
) {
    let (field, reason, message) = match (from, to, end) {
        (Some(from), Some(to), None) if from == to => (
            "toId",
            Some(Reason::SelfTransition),
            "A transition cannot lead from a touchpoint to itself.",
        ),
        (Some(_), Some(_), Some(_)) => (
            "end",
            None,
            "A transition between two touchpoints has no end.",
        ),
        (None, None, _) => (
            "fromId",
            None,
            "A transition leads from or to a touchpoint.",
        ),
        (None, Some(_), None) | (Some(_), None, None) => (
            "end",
            None,
            "Where one side is absent, `end` has to name the end of the graph.",
        ),
        (Some(_), None, Some(End::Start)) => ("end", None, "Nothing leads to START."),
        (None, Some(_), Some(End::Exit)) => ("end", None, "Nothing leads from EXIT."),
        _ => match kind {
            TransitionKind::Exit if to.is_some() => (
                "kind",
                None,
                "An EXIT leads from a touchpoint to the end EXIT or COMPETITOR.",
            ),
            TransitionKind::Reentry if to.is_none() => {
                ("kind", None, "A REENTRY leads to a touchpoint.")
            }
            TransitionKind::Loop | TransitionKind::Backtrack | TransitionKind::Enables
                if end.is_some() =>
            {
                (
                    "kind",
                    None,
                    "A transition of kind LOOP, BACKTRACK or ENABLES leads from one touchpoint to another.",
                )
            }
            _ => return,
        },
    };
    faults.add(
        &format!("{path}.{field}"),
        UserErrorCode::Invalid,
        reason,
        message,
    );
}

/// Changes what a transition says of itself.
pub async fn update(caller: &Caller, input: TransitionUpdateInput) -> Result<transition::Model> {
    let mut faults = Faults::default();
    let id: TransitionId = faults.parse_id("id", &input.id);
    let kind = set_if_given(faults.given("kind", &input.kind), |kind| *kind);
    let basis = set_if_given(faults.given("basis", &input.basis), |basis| *basis);
    let condition = set_or_clear(&input.condition, |text| {
        faults.check_optional_text("condition", text.map(String::as_str))
    });
    let max_wait_minutes = set_or_clear(&input.max_wait_minutes, |value| {
        faults.check_within("maxWaitMinutes", value.copied(), 0..=i32::MAX)
    });
    faults.check()?;
    let (row, mut permit) = fetch_transition_at_version(caller, id, input.expected_version).await?;
    let change = transition::ActiveModel {
        kind,
        basis,
        condition,
        max_wait_minutes,
        ..Default::default()
    };
    if let ActiveValue::Set(kind) = change.kind {
        let (from, to) = (row.from_touchpoint_id, row.to_touchpoint_id);
        let mut faults = Faults::default();
        add_transition_shape_fault(&mut faults, "", (kind, from, to, row.end));
        faults.check()?;
    }
    let row = permit.update::<transition::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Deletes a transition.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<transition::Model> {
    let id: TransitionId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_transition_at_version(caller, id, input.expected_version).await?;
    permit.delete::<transition::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_transition_at_version(
    caller: &Caller,
    id: TransitionId,
    expected_version: i32,
) -> Result<(transition::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<transition::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<transition::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
