//! Phases: the column groups of a blueprint, in their order of display.

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    blueprint,
    id::{BlueprintId, PhaseId, SegmentId},
    phase, phase_segment, segment, touchpoint,
    words::Stage,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set, sea_query::Expr,
};

use super::MOST_PHASES;
use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    order::{self, Ordered},
    policy::Action,
};

/// A new phase, at the end or after another phase.
#[derive(InputObject)]
pub struct PhaseCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the blueprint to create it in.
    pub blueprint_id: ID,
    /// Key, unique in the blueprint; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// Its stage relative to what the customer came for.
    pub stage: Stage,
    /// The customer's goal in it.
    pub customer_goal: Option<String>,
    /// When it is and how long it lasts, in words.
    pub timing: Option<String>,
    /// The question to ask there.
    pub prompt: Option<String>,
    /// The segments that the blueprint's personas stand for while in it, in order; none: those of the personas.
    #[graphql(default)]
    pub segment_ids: Vec<ID>,
    /// Id of the phase after which to place it; absent: the end, null: the beginning.
    pub after_id: MaybeUndefined<ID>,
}

/// Changes to a phase. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct PhaseUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// The new stage.
    pub stage: MaybeUndefined<Stage>,
    /// The customer's goal in it.
    pub customer_goal: MaybeUndefined<String>,
    /// When it is and how long it lasts, in words.
    pub timing: MaybeUndefined<String>,
    /// The question to ask there.
    pub prompt: MaybeUndefined<String>,
    /// The segments that the blueprint's personas stand for while in it, in order; replaces the list. None: those of
    /// the personas.
    pub segment_ids: MaybeUndefined<Vec<ID>>,
}

/// The move of a phase.
#[derive(InputObject)]
pub struct PhaseMoveInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// Id of the phase after which to place it; absent: the end, null: the beginning.
    pub after_id: MaybeUndefined<ID>,
}

/// Makes a phase.
pub async fn create(caller: &Caller, input: PhaseCreateInput) -> Result<phase::Model> {
    let mut faults = Faults::default();
    let id: PhaseId = faults.parse_or_make_id(input.id.as_ref());
    let blueprint_id: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let customer_goal = faults.check_optional_text("customerGoal", input.customer_goal.as_deref());
    let timing = faults.check_optional_text("timing", input.timing.as_deref());
    let prompt = faults.check_optional_text("prompt", input.prompt.as_deref());
    let segments: Vec<SegmentId> = faults.parse_ids("segmentIds", &input.segment_ids);
    let after: Option<PhaseId> = faults.parse_optional_id("afterId", input.after_id.value());
    faults.check()?;
    let (blueprint, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::ShapeBlueprint, "blueprintId", blueprint_id)
        .await?;
    require_unarchived::<blueprint::Entity>("blueprintId", &blueprint)?;
    let same = |row: &phase::Model| row.blueprint_id == blueprint.id && row.name == name;
    if let Some(row) = permit
        .find_already_created::<phase::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let phases = load_phases(&permit, blueprint.id).await?;
    refuse_if_phase_limit_reached(&phases, "blueprintId")?;
    let position = make_room_after(&permit, &phases, &input.after_id, after).await?;
    let fresh = NewPhase {
        id,
        key,
        name,
        position,
        stage: input.stage,
        customer_goal,
        timing,
        prompt,
    };
    let row = add_phase(&mut permit, blueprint.id, fresh).await?;
    replace_segments(&mut permit, &row, &segments).await?;
    permit.commit().await?;
    Ok(row)
}

/// A phase that is to be made.
pub struct NewPhase {
    pub id: PhaseId,
    /// Made from the name where none is given.
    pub key: Option<String>,
    pub name: String,
    /// A place that is free.
    pub position: i32,
    pub stage: Stage,
    pub customer_goal: Option<String>,
    pub timing: Option<String>,
    pub prompt: Option<String>,
}

/// Makes a phase in a blueprint that the permit may shape.
pub async fn add_phase(
    permit: &mut Permit<'_>,
    blueprint: BlueprintId,
    fresh: NewPhase,
) -> Result<phase::Model> {
    let key = permit
        .choose_unique_key::<phase::Entity>(
            fresh.key.as_deref(),
            &fresh.name,
            fresh.id,
            Some(blueprint),
        )
        .await?;
    permit
        .insert::<phase::Entity>(phase::ActiveModel {
            id: Set(fresh.id),
            blueprint_id: Set(blueprint),
            key: Set(key),
            name: Set(fresh.name),
            position: Set(fresh.position),
            stage: Set(fresh.stage),
            customer_goal: Set(fresh.customer_goal),
            timing: Set(fresh.timing),
            prompt: Set(fresh.prompt),
            created_at: Set(permit.caller.now),
            copied_from_id: Set(None),
            archived_at: Set(None),
            version: Set(1),
        })
        .await
}

/// Makes the segments these, in this order.
async fn replace_segments(
    permit: &mut Permit<'_>,
    row: &phase::Model,
    segments: &[SegmentId],
) -> Result<()> {
    permit
        .require_all::<segment::Entity>("segmentIds", segments)
        .await?;
    let list = segments.iter().zip(1..);
    let list = list.map(|(segment, position)| phase_segment::Model {
        phase_id: row.id,
        segment_id: *segment,
        position,
    });
    let its = phase_segment::Column::PhaseId.eq(row.id);
    let place = (its, phase_segment::Column::Position);
    let noted = serde_json::json!({ "segmentIds": segments });
    permit
        .replace_list::<phase_segment::Entity, phase::Entity>(row, place, list.collect(), noted)
        .await
}

/// Changes what a phase says of itself.
pub async fn update(caller: &Caller, input: PhaseUpdateInput) -> Result<phase::Model> {
    let mut faults = Faults::default();
    let id: PhaseId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let stage = set_if_given(faults.given("stage", &input.stage), |stage| *stage);
    let customer_goal = set_or_clear(&input.customer_goal, |text| {
        faults.check_optional_text("customerGoal", text.map(String::as_str))
    });
    let timing = set_or_clear(&input.timing, |text| {
        faults.check_optional_text("timing", text.map(String::as_str))
    });
    let prompt = set_or_clear(&input.prompt, |text| {
        faults.check_optional_text("prompt", text.map(String::as_str))
    });
    let segments = list_if_given(&input.segment_ids);
    let segments: Option<Vec<SegmentId>> = segments.map(|ids| faults.parse_ids("segmentIds", ids));
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<phase::Entity>(Action::ShapeBlueprint, "id", id, input.expected_version)
        .await?;
    if let Some(segments) = &segments {
        replace_segments(&mut permit, &row, segments).await?;
    }
    let row = permit
        .update::<phase::Entity>(
            &row,
            phase::ActiveModel {
                name,
                stage,
                customer_goal,
                timing,
                prompt,
                ..Default::default()
            },
        )
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Moves a phase; no other phase's version changes.
pub async fn relocate(caller: &Caller, input: PhaseMoveInput) -> Result<phase::Model> {
    let mut faults = Faults::default();
    let id: PhaseId = faults.parse_id("id", &input.id);
    let after: Option<PhaseId> = faults.parse_optional_id("afterId", input.after_id.value());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<phase::Entity>(Action::ShapeBlueprint, "id", id, input.expected_version)
        .await?;
    let mut others = load_phases(&permit, row.blueprint_id).await?;
    others.retain(|phase| phase.id != row.id);
    let position = make_room_after(&permit, &others, &input.after_id, after).await?;
    let row = permit
        .update::<phase::Entity>(
            &row,
            phase::ActiveModel {
                position: Set(position),
                ..Default::default()
            },
        )
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Archives an empty phase, or brings it back at the end.
pub async fn set_archived(
    caller: &Caller,
    input: &AtVersionInput,
    archived: bool,
) -> Result<phase::Model> {
    let id: PhaseId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<phase::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    expect_version::<phase::Entity>(&row, input.expected_version)?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    if row.archived_at.is_some() == archived {
        return Ok(row);
    }
    if archived {
        refuse_unless_empty(&permit, &row).await?;
    }
    let mut change = phase::ActiveModel {
        archived_at: Set(archived.then_some(caller.now)),
        ..Default::default()
    };
    if !archived {
        let phases = load_phases(&permit, row.blueprint_id).await?;
        refuse_if_phase_limit_reached(&phases, "id")?;
        change.position = Set(order::next_position(&phases));
    }
    let row = permit.update::<phase::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses where the blueprint has as many phases as it may have.
fn refuse_if_phase_limit_reached(phases: &[phase::Model], field: &str) -> Result<()> {
    if (phases.len() as u64) < MOST_PHASES {
        return Ok(());
    }
    let message = format!("A blueprint has at most {MOST_PHASES} phases.");
    let code = UserErrorCode::LimitExceeded;
    Err(Error::fault(field, code, None, message))
}

async fn refuse_unless_empty(permit: &Permit<'_>, row: &phase::Model) -> Result<()> {
    let inside = touchpoint::Entity::find()
        .filter(touchpoint::Column::PhaseId.eq(row.id))
        .filter(touchpoint::Column::ArchivedAt.is_null())
        .count(permit.tx())
        .await?;
    if inside == 0 {
        return Ok(());
    }
    let message = format!("There are {inside} touchpoints in it. Move or archive them first.");
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}

/// The phases of a blueprint that are not archived, in order.
async fn load_phases(permit: &Permit<'_>, blueprint: BlueprintId) -> Result<Vec<phase::Model>> {
    Ok(phase::Entity::find()
        .filter(phase::Column::BlueprintId.eq(blueprint))
        .filter(phase::Column::ArchivedAt.is_null())
        .order_by_asc(phase::Column::Position)
        .order_by_asc(phase::Column::Id)
        .all(permit.tx())
        .await?)
}

impl Ordered for phase::Model {
    type Id = PhaseId;

    fn id(&self) -> PhaseId {
        self.id
    }

    fn position(&self) -> i32 {
        self.position
    }
}

/// Makes room after a phase or at the beginning, and gives the place; the end where nothing is said.
async fn make_room_after(
    permit: &Permit<'_>,
    others: &[phase::Model],
    said: &MaybeUndefined<ID>,
    after: Option<PhaseId>,
) -> Result<i32> {
    let after = if said.is_undefined() {
        others.last().map(|last| last.id)
    } else {
        after
    };
    let places = order::plan_insertion(others, after.as_ref());
    let places = places.ok_or_else(|| Error::not_found("afterId", "phase in this blueprint"))?;
    set_positions(permit, places.moved).await?;
    Ok(places.free)
}

/// Puts phases at places; nothing else of them changes.
pub async fn set_positions(permit: &Permit<'_>, positions: Vec<(PhaseId, i32)>) -> Result<()> {
    for (id, position) in positions {
        phase::Entity::update_many()
            .col_expr(phase::Column::Position, Expr::value(position))
            .filter(phase::Column::Id.eq(id))
            .exec(permit.tx())
            .await?;
    }
    Ok(())
}
