//! Scenarios: named ways through a journey, as ordered lists of its touchpoints. They draw nothing; whether a way
//! can be gone is for the flow to say.

pub mod graphql;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    blueprint,
    id::{BlueprintId, ScenarioId, TouchpointId},
    scenario, scenario_step,
    words::ScenarioKind,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    blueprint::{refuse_if_row_limit_reached, refuse_taken_name},
    error::Result,
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    policy::Action,
    touchpoint::place::{self, TouchpointList},
};

/// How many scenarios one blueprint holds at the most.
pub const MOST_SCENARIOS: u64 = 50;

/// How many steps one scenario has at the most.
pub const MOST_STEPS: usize = 200;

/// A new scenario.
#[derive(InputObject)]
pub struct ScenarioCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the blueprint to create it in.
    pub blueprint_id: ID,
    /// Its name, unique in the blueprint.
    pub name: String,
    /// The kind of way.
    pub kind: ScenarioKind,
    /// A note.
    pub note: Option<String>,
    /// Its touchpoints, in the order of going; one may come more than once. At most 200.
    pub touchpoint_ids: Vec<ID>,
}

/// Changes to a scenario. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct ScenarioUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// The kind of way.
    pub kind: MaybeUndefined<ScenarioKind>,
    /// A note.
    pub note: MaybeUndefined<String>,
    /// Its touchpoints, in the order of going; replaces the list.
    pub touchpoint_ids: MaybeUndefined<Vec<ID>>,
}

fn parse_step_inputs(faults: &mut Faults, ids: &[ID]) -> Vec<TouchpointId> {
    faults.check_count("touchpointIds", ids.len(), MOST_STEPS);
    let ids = ids.iter().take(MOST_STEPS).enumerate();
    ids.map(|(at, id)| faults.parse_id(&format!("touchpointIds.{at}"), id))
        .collect()
}

/// Makes a scenario.
pub async fn create(caller: &Caller, input: ScenarioCreateInput) -> Result<scenario::Model> {
    let mut faults = Faults::default();
    let id: ScenarioId = faults.parse_or_make_id(input.id.as_ref());
    let blueprint_id: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let name = faults.check_name("name", &input.name);
    let note = faults.check_optional_text("note", input.note.as_deref());
    let steps = parse_step_inputs(&mut faults, &input.touchpoint_ids);
    faults.check()?;
    let (blueprint, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::ShapeBlueprint, "blueprintId", blueprint_id)
        .await?;
    require_unarchived::<blueprint::Entity>("blueprintId", &blueprint)?;
    let same = |row: &scenario::Model| row.name == name && row.blueprint_id == blueprint_id;
    if let Some(row) = permit
        .find_already_created::<scenario::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there = scenario::Entity::find().filter(scenario::Column::BlueprintId.eq(blueprint_id));
    refuse_if_row_limit_reached(&permit, there, "blueprintId", (MOST_SCENARIOS, "scenarios"))
        .await?;
    refuse_taken_scenario_name(&permit, blueprint_id, &name, id).await?;
    let row = permit
        .insert::<scenario::Entity>(scenario::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint_id),
            name: Set(name),
            kind: Set(input.kind),
            note: Set(note),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    replace_steps(&mut permit, &row, &steps).await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses a name that another of the blueprint has.
async fn refuse_taken_scenario_name(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    name: &str,
    but: ScenarioId,
) -> Result<()> {
    use scenario::Column;
    let inside = (Column::BlueprintId, blueprint);
    refuse_taken_name::<scenario::Entity>(permit, inside, (Column::Name, "name", name), but).await
}

/// Changes name, kind, note or steps.
pub async fn update(caller: &Caller, input: ScenarioUpdateInput) -> Result<scenario::Model> {
    let mut faults = Faults::default();
    let id: ScenarioId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let kind = set_if_given(faults.given("kind", &input.kind), |kind| *kind);
    let note = set_or_clear(&input.note, |text| {
        faults.check_optional_text("note", text.map(String::as_str))
    });
    let steps = list_if_given(&input.touchpoint_ids);
    let steps = steps.map(|ids| parse_step_inputs(&mut faults, ids));
    faults.check()?;
    let (row, mut permit) = fetch_scenario_at_version(caller, id, input.expected_version).await?;
    if let Set(name) = &name {
        refuse_taken_scenario_name(&permit, row.blueprint_id, name, id).await?;
    }
    if let Some(steps) = steps {
        replace_steps(&mut permit, &row, &steps).await?;
    }
    let change = scenario::ActiveModel {
        name,
        kind,
        note,
        ..Default::default()
    };
    let row = permit.update::<scenario::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes the steps these, in this order.
async fn replace_steps(
    permit: &mut Permit<'_>,
    row: &scenario::Model,
    steps: &[TouchpointId],
) -> Result<()> {
    let list = TouchpointList::<scenario_step::Entity> {
        its: scenario_step::Column::ScenarioId.eq(row.id),
        touchpoint: scenario_step::Column::TouchpointId,
        position: scenario_step::Column::Position,
        field: "touchpointIds",
        most: MOST_STEPS,
    };
    let to_row = |touchpoint_id, position| scenario_step::Model {
        scenario_id: row.id,
        blueprint_id: row.blueprint_id,
        touchpoint_id,
        position,
    };
    let owner = (row, row.blueprint_id);
    place::replace_touchpoints::<_, scenario::Entity>(permit, owner, list, steps, to_row).await
}

/// Deletes a scenario.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<scenario::Model> {
    let id: ScenarioId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_scenario_at_version(caller, id, input.expected_version).await?;
    permit.delete::<scenario::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_scenario_at_version(
    caller: &Caller,
    id: ScenarioId,
    expected_version: i32,
) -> Result<(scenario::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<scenario::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<scenario::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
