//! Touchpoints: the steps of a journey, what they say, where they stand. Who delivers them is not here.

mod arrange;
pub mod change;
pub mod graphql;
mod inputs;
pub mod place;
pub mod transition;

use async_graphql::MaybeUndefined;
use entity::{
    channel,
    id::{BlueprintId, PhaseId, TouchpointId},
    phase, segment, touchpoint, touchpoint_channel, touchpoint_segment,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set,
    sea_query::{CaseStatement, Expr},
};

pub use self::inputs::{
    TouchpointChangeInput, TouchpointCreateInput, TouchpointLaneChangeInput, TouchpointMoveInput,
    TouchpointRenameInput, TouchpointUpdateInput, TouchpointsUpdateInput,
};
use self::inputs::{TouchpointLists, with_initial_values};
use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    blueprint::{MOST_TOUCHPOINTS, refuse_if_row_limit_reached},
    error::{Error, Result},
    input::{self, AtVersionInput, Faults},
    order::{self, Ordered},
    policy::Action,
};

/// Makes a touchpoint.
pub async fn create(caller: &Caller, input: TouchpointCreateInput) -> Result<touchpoint::Model> {
    let mut faults = Faults::default();
    let id: TouchpointId = faults.parse_or_make_id(input.id.as_ref());
    let phase_id: PhaseId = faults.parse_id("phaseId", &input.phase_id);
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let after: Option<TouchpointId> = faults.parse_optional_id("afterId", input.after_id.value());
    let (text, lists) = input.text.with_null_as_absent().read(&mut faults);
    faults.check()?;
    let (phase, mut permit) = caller
        .fetch_locked::<phase::Entity>(Action::ShapeBlueprint, "phaseId", phase_id)
        .await?;
    require_unarchived::<phase::Entity>("phaseId", &phase)?;
    permit.require_unarchived_blueprint(phase.blueprint_id)?;
    let same = |row: &touchpoint::Model| row.blueprint_id == phase.blueprint_id && row.name == name;
    if let Some(row) = permit
        .find_already_created::<touchpoint::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    refuse_if_touchpoint_limit_reached(&permit, phase.blueprint_id, "phaseId").await?;
    let siblings = load_touchpoints_of_phase(&permit, phase.id).await?;
    let after = match input.after_id {
        MaybeUndefined::Undefined => siblings.last().map(|last| last.id),
        _ => after,
    };
    let position = make_room_after(&permit, &siblings, after).await?;
    let key = permit
        .choose_unique_key::<touchpoint::Entity>(
            key.as_deref(),
            &name,
            id,
            Some(phase.blueprint_id),
        )
        .await?;
    let row = permit
        .insert::<touchpoint::Entity>(touchpoint::ActiveModel {
            id: Set(id),
            blueprint_id: Set(phase.blueprint_id),
            phase_id: Set(phase.id),
            key: Set(key),
            name: Set(name),
            position: Set(position),
            lane: Set(input.lane),
            created_at: Set(caller.now),
            version: Set(1),
            ..with_initial_values(text)
        })
        .await?;
    replace_channels_and_audience(&mut permit, &row, lists).await?;
    permit.commit().await?;
    Ok(row)
}

/// Replaces channels and audience where new ones are given.
async fn replace_channels_and_audience(
    permit: &mut Permit<'_>,
    row: &touchpoint::Model,
    lists: TouchpointLists,
) -> Result<()> {
    let mut changed = serde_json::Map::new();
    if let Some(channels) = lists.channels {
        permit
            .require_all::<channel::Entity>("channelIds", &channels)
            .await?;
        let list = channels.iter().zip(1..);
        let list = list.map(|(channel, position)| touchpoint_channel::Model {
            touchpoint_id: row.id,
            channel_id: *channel,
            position,
        });
        let its = touchpoint_channel::Column::TouchpointId.eq(row.id);
        let position = touchpoint_channel::Column::Position;
        if permit
            .replace_unnoted_list::<touchpoint_channel::Entity>(its, position, list.collect())
            .await?
        {
            changed.insert("channelIds".to_owned(), serde_json::json!(channels));
        }
    }
    if let Some(audience) = lists.audience {
        permit
            .require_all::<segment::Entity>("audienceSegmentIds", &audience)
            .await?;
        let list = audience.iter().zip(1..);
        let list = list.map(|(segment, position)| touchpoint_segment::Model {
            touchpoint_id: row.id,
            segment_id: *segment,
            position,
        });
        let its = touchpoint_segment::Column::TouchpointId.eq(row.id);
        let position = touchpoint_segment::Column::Position;
        if permit
            .replace_unnoted_list::<touchpoint_segment::Entity>(its, position, list.collect())
            .await?
        {
            changed.insert("audienceSegmentIds".to_owned(), serde_json::json!(audience));
        }
    }
    if !changed.is_empty() {
        permit.note_list_change::<touchpoint::Entity>(row, changed.into());
    }
    Ok(())
}

/// Fetches a touchpoint to archive it or bring it back.
pub async fn fetch_to_archive<'c>(
    caller: &'c Caller,
    input: &AtVersionInput,
) -> Result<(touchpoint::Model, Permit<'c>)> {
    let id: TouchpointId = input::parse_id("id", &input.id)?;
    let (row, permit) = caller
        .fetch_locked::<touchpoint::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    expect_version::<touchpoint::Entity>(&row, input.expected_version)?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    Ok((row, permit))
}

/// Refuses where the blueprint has as many touchpoints as it may have.
async fn refuse_if_touchpoint_limit_reached(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    field: &str,
) -> Result<()> {
    let there = touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(blueprint))
        .filter(touchpoint::Column::ArchivedAt.is_null());
    refuse_if_row_limit_reached(permit, there, field, (MOST_TOUCHPOINTS, "touchpoints")).await
}

/// Archives a touchpoint that was fetched and closes the gap that it leaves. What hangs on it is ended in
/// `reorganise`.
pub async fn archive_fetched(
    permit: &mut Permit<'_>,
    row: &touchpoint::Model,
) -> Result<touchpoint::Model> {
    let row = permit.set_archived::<touchpoint::Entity>(row, true).await?;
    let remaining = load_touchpoints_of_phase(permit, row.phase_id).await?;
    set_positions(permit, order::plan_closing_gaps(&remaining)).await?;
    Ok(row)
}

/// Brings a touchpoint that was fetched back to its old place in its phase. What resumes there is begun in
/// `reorganise`.
pub async fn unarchive_fetched(
    permit: &mut Permit<'_>,
    row: &touchpoint::Model,
) -> Result<touchpoint::Model> {
    permit
        .read_unarchived_row::<phase::Entity>("id", row.phase_id)
        .await?;
    refuse_if_touchpoint_limit_reached(permit, row.blueprint_id, "id").await?;
    let others = load_touchpoints_of_phase(permit, row.phase_id).await?;
    let before = others.iter().rfind(|other| other.position < row.position);
    let before = before.map(|other| other.id);
    let places = order::plan_insertion(&others, before.as_ref());
    let places = places.ok_or_else(|| Error::internal("a neighbour is not among the others"))?;
    set_positions(permit, places.moved).await?;
    let change = touchpoint::ActiveModel {
        archived_at: Set(None),
        position: Set(places.free),
        ..Default::default()
    };
    permit.update::<touchpoint::Entity>(row, change).await
}

/// Puts a touchpoint that was fetched, archived or not, at the end of another phase, which is not archived.
pub async fn put_at_end_of_phase(
    permit: &mut Permit<'_>,
    row: &touchpoint::Model,
    phase: PhaseId,
) -> Result<touchpoint::Model> {
    let there = load_touchpoints_of_phase(permit, phase).await?;
    let change = touchpoint::ActiveModel {
        archived_at: Set(None),
        phase_id: Set(phase),
        position: Set(order::next_position(&there)),
        ..Default::default()
    };
    permit.update::<touchpoint::Entity>(row, change).await
}

impl Ordered for touchpoint::Model {
    type Id = TouchpointId;

    fn id(&self) -> TouchpointId {
        self.id
    }

    fn position(&self) -> i32 {
        self.position
    }
}

/// The touchpoints of a phase that are not archived, in order.
async fn load_touchpoints_of_phase(
    permit: &Permit<'_>,
    phase: PhaseId,
) -> Result<Vec<touchpoint::Model>> {
    Ok(touchpoint::Entity::find()
        .filter(touchpoint::Column::PhaseId.eq(phase))
        .filter(touchpoint::Column::ArchivedAt.is_null())
        .order_by_asc(touchpoint::Column::Position)
        .order_by_asc(touchpoint::Column::Id)
        .all(permit.tx())
        .await?)
}

/// Makes room after a touchpoint, or at the beginning of the phase, and gives the free position.
async fn make_room_after(
    permit: &Permit<'_>,
    others: &[touchpoint::Model],
    after: Option<TouchpointId>,
) -> Result<i32> {
    let places = order::plan_insertion(others, after.as_ref());
    let places = places.ok_or_else(|| Error::not_found("afterId", "touchpoint in this phase"))?;
    set_positions(permit, places.moved).await?;
    Ok(places.free)
}

/// Puts touchpoints at places; nothing else of them changes.
pub async fn set_positions(permit: &Permit<'_>, positions: Vec<(TouchpointId, i32)>) -> Result<()> {
    use touchpoint::Column::{Id, Position};
    for some in positions.chunks(input::MOST_AT_ONCE) {
        let mut position = CaseStatement::new().finally(Expr::col(Position));
        for (id, place) in some {
            position = position.case(Id.eq(*id), Expr::value(*place));
        }
        touchpoint::Entity::update_many()
            .col_expr(Position, position.into())
            .filter(Id.is_in(some.iter().map(|(id, _)| *id)))
            .exec(permit.tx())
            .await?;
    }
    Ok(())
}
