//! Improvements: what should become better at some touchpoints, who takes care of it, which KPIs will tell, and what
//! came of it. They change nothing themselves.

pub mod graphql;

use std::collections::HashSet;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    department,
    id::{BlueprintId, DepartmentId, ImprovementId, KpiId, TouchpointId},
    improvement, improvement_kpi, improvement_touchpoint, kpi,
    words::ImprovementState,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    access::{Caller, Permit, expect_version, row_after_change, with_all_columns_set},
    blueprint::refuse_if_row_limit_reached,
    error::{Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, LIST, list_if_given, set_if_given, set_or_clear},
    order,
    policy::{Action, Relation, RowTies},
    scalar::Date,
    touchpoint::place::{self, BlueprintOrPartId, TouchpointList},
};

/// How many improvements one blueprint holds at the most.
pub const MOST_IMPROVEMENTS: u64 = 500;

/// A new improvement.
#[derive(InputObject)]
pub struct ImprovementCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// The blueprint that it improves.
    pub blueprint_id: ID,
    /// Key, unique in the blueprint; derived from the title if absent.
    pub key: Option<String>,
    /// Its title.
    pub title: String,
    /// Description of the work.
    pub description: Option<String>,
    /// The department that owns it.
    pub owner_department_id: ID,
    /// Impact, from 1 (least) to 5 (most): the scale of importance, so that the two can be compared.
    pub impact: Option<i32>,
    /// Effort, from 1 (least) to 5 (most).
    pub effort: Option<i32>,
    /// Its state.
    #[graphql(default_with = "ImprovementState::Proposed")]
    pub state: ImprovementState,
    /// The result; required for DONE and DROPPED.
    pub result: Option<String>,
    /// The target day for completion.
    pub target_on: Option<Date>,
    /// The touchpoints of the blueprint that it concerns, in order.
    #[graphql(default)]
    pub touchpoint_ids: Vec<ID>,
    /// The KPIs that measure its effect, in order.
    #[graphql(default)]
    pub kpi_ids: Vec<ID>,
}

/// Changes to an improvement. Absent fields stay as they are; null clears, or is REQUIRED where there is always a
/// value.
#[derive(InputObject)]
pub struct ImprovementUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new title.
    pub title: MaybeUndefined<String>,
    /// Description of the work.
    pub description: MaybeUndefined<String>,
    /// The department that owns it from now on.
    pub owner_department_id: MaybeUndefined<ID>,
    /// Impact, from 1 (least) to 5 (most).
    pub impact: MaybeUndefined<i32>,
    /// Effort, from 1 (least) to 5 (most).
    pub effort: MaybeUndefined<i32>,
    /// Its state.
    pub state: MaybeUndefined<ImprovementState>,
    /// The result; required for DONE and DROPPED.
    pub result: MaybeUndefined<String>,
    /// The target day for completion.
    pub target_on: MaybeUndefined<Date>,
    /// The touchpoints of the blueprint that it concerns, in order; replaces the list.
    pub touchpoint_ids: MaybeUndefined<Vec<ID>>,
    /// The KPIs that measure its effect, in order; replaces the list.
    pub kpi_ids: MaybeUndefined<Vec<ID>>,
}

/// What must be true of an improvement as a whole, whatever changed.
pub fn add_missing_result_fault(faults: &mut Faults, path: &str, row: &improvement::Model) {
    let finished = matches!(
        row.state,
        ImprovementState::Done | ImprovementState::Dropped
    );
    if finished && row.result.is_none() {
        let message = format!(
            "An improvement that is {} needs a `result`.",
            row.state.as_str()
        );
        let field = format!("{path}.result");
        faults.add(&field, UserErrorCode::Required, None, message);
    }
}

/// An estimate, on the scale of importance.
pub fn check_estimate(faults: &mut Faults, field: &str, value: Option<i32>) -> Option<i32> {
    faults.check_within(field, value, 1..=5)
}

/// Makes an improvement.
pub async fn create(caller: &Caller, input: ImprovementCreateInput) -> Result<improvement::Model> {
    let mut faults = Faults::default();
    let id: ImprovementId = faults.parse_or_make_id(input.id.as_ref());
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let blueprint_id: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let title = faults.check_name("title", &input.title);
    let description = faults.check_optional_text("description", input.description.as_deref());
    let owner: DepartmentId = faults.parse_id("ownerDepartmentId", &input.owner_department_id);
    let impact = check_estimate(&mut faults, "impact", input.impact);
    let effort = check_estimate(&mut faults, "effort", input.effort);
    let result = faults.check_optional_text("result", input.result.as_deref());
    let target_on = input
        .target_on
        .map(|day| faults.check_day("targetOn", day.0));
    let touchpoints = faults.parse_ids("touchpointIds", &input.touchpoint_ids);
    let kpis = faults.parse_ids("kpiIds", &input.kpi_ids);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    BlueprintOrPartId::Blueprint(blueprint_id)
        .lock_and_locate(&mut permit)
        .await?;
    require_permitted_owner(&mut permit, blueprint_id, owner).await?;
    let same = |row: &improvement::Model| row.title == title && row.blueprint_id == blueprint_id;
    if let Some(row) = permit
        .find_already_created::<improvement::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there = improvement::Entity::find();
    let there = there.filter(improvement::Column::BlueprintId.eq(blueprint_id));
    let most = (MOST_IMPROVEMENTS, "improvements");
    refuse_if_row_limit_reached(&permit, there, "blueprintId", most).await?;
    let key = permit
        .choose_unique_key::<improvement::Entity>(key.as_deref(), &title, id, Some(blueprint_id))
        .await?;
    let row = improvement::Model {
        id,
        blueprint_id,
        key,
        title,
        description,
        owner_department_id: owner,
        impact,
        effort,
        state: input.state,
        result,
        target_on,
        created_at: caller.now,
        version: 1,
    };
    let mut faults = Faults::default();
    add_missing_result_fault(&mut faults, "", &row);
    faults.check()?;
    let row = permit
        .insert::<improvement::Entity>(with_all_columns_set::<improvement::Entity>(row))
        .await?;
    replace_touchpoints(&mut permit, &row, &touchpoints).await?;
    replace_kpis(&mut permit, &row, &kpis).await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses whoever may not keep the improvements of this department, and a department that is archived.
async fn require_permitted_owner(
    permit: &mut Permit<'_>,
    blueprint: BlueprintId,
    owner: DepartmentId,
) -> Result<()> {
    permit
        .read_unarchived_row::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    permit.require(
        Action::KeepImprovements,
        &RowTies::none().with_departments(Relation::OwnsImprovement, [owner]),
        Some(("Blueprint", blueprint.0)),
    )?;
    permit.show_audit_to_leads_of(owner);
    Ok(())
}

/// Changes what an improvement says, where it stands, what it is about or who owns it.
pub async fn update(caller: &Caller, input: ImprovementUpdateInput) -> Result<improvement::Model> {
    let mut faults = Faults::default();
    let id: ImprovementId = faults.parse_id("id", &input.id);
    let owner = faults.given("ownerDepartmentId", &input.owner_department_id);
    let owner = faults.parse_optional_id("ownerDepartmentId", owner);
    let changes = improvement::ActiveModel {
        title: set_if_given(faults.given("title", &input.title), |title| {
            faults.check_name("title", title)
        }),
        description: set_or_clear(&input.description, |text| {
            faults.check_optional_text("description", text.map(String::as_str))
        }),
        owner_department_id: set_if_given(owner.as_ref(), |owner| *owner),
        impact: set_or_clear(&input.impact, |value| {
            check_estimate(&mut faults, "impact", value.copied())
        }),
        effort: set_or_clear(&input.effort, |value| {
            check_estimate(&mut faults, "effort", value.copied())
        }),
        state: set_if_given(faults.given("state", &input.state), |state| *state),
        result: set_or_clear(&input.result, |text| {
            faults.check_optional_text("result", text.map(String::as_str))
        }),
        target_on: set_or_clear(&input.target_on, |day| {
            day.map(|day| faults.check_day("targetOn", day.0))
        }),
        ..Default::default()
    };
    let touchpoints = list_if_given(&input.touchpoint_ids);
    let touchpoints = touchpoints.map(|ids| faults.parse_ids("touchpointIds", ids));
    let kpis = list_if_given(&input.kpi_ids);
    let kpis = kpis.map(|ids| faults.parse_ids("kpiIds", ids));
    faults.check()?;
    let (row, mut permit) =
        fetch_improvement_at_version(caller, id, input.expected_version).await?;
    if let Some(owner) = owner.filter(|owner| *owner != row.owner_department_id) {
        require_permitted_owner(&mut permit, row.blueprint_id, owner).await?;
    }
    let after = row_after_change::<improvement::Entity>(&row, &changes)?;
    let mut faults = Faults::default();
    add_missing_result_fault(&mut faults, "", &after);
    faults.check()?;
    if let Some(touchpoints) = touchpoints {
        replace_touchpoints(&mut permit, &row, &touchpoints).await?;
    }
    if let Some(kpis) = kpis {
        replace_kpis(&mut permit, &row, &kpis).await?;
    }
    let row = permit.update::<improvement::Entity>(&row, changes).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes the touchpoints that it is about these, in this order.
async fn replace_touchpoints(
    permit: &mut Permit<'_>,
    row: &improvement::Model,
    touchpoints: &[TouchpointId],
) -> Result<()> {
    let list = TouchpointList::<improvement_touchpoint::Entity> {
        its: improvement_touchpoint::Column::ImprovementId.eq(row.id),
        touchpoint: improvement_touchpoint::Column::TouchpointId,
        position: improvement_touchpoint::Column::Position,
        field: "touchpointIds",
        most: LIST,
    };
    let to_row = |touchpoint_id, position| improvement_touchpoint::Model {
        improvement_id: row.id,
        blueprint_id: row.blueprint_id,
        touchpoint_id,
        position,
    };
    let owner = (row, row.blueprint_id);
    place::replace_touchpoints::<_, improvement::Entity>(permit, owner, list, touchpoints, to_row)
        .await
}

/// Makes the KPIs that tell whether it works these, in this order; those that the caller does not see stay.
async fn replace_kpis(
    permit: &mut Permit<'_>,
    row: &improvement::Model,
    kpis: &[KpiId],
) -> Result<()> {
    let its = improvement_kpi::Column::ImprovementId.eq(row.id);
    let position = improvement_kpi::Column::Position;
    let was: Vec<KpiId> = improvement_kpi::Entity::find()
        .select_only()
        .column(improvement_kpi::Column::KpiId)
        .filter(its.clone())
        .order_by_asc(position)
        .into_tuple()
        .all(permit.tx())
        .await?;
    for (at, id) in kpis.iter().enumerate() {
        let path = format!("kpiIds.{at}");
        // One that was archived since may stay.
        if was.contains(id) {
            permit.get::<kpi::Entity>(&path, *id).await?;
        } else {
            permit
                .read_unarchived_row::<kpi::Entity>(&path, *id)
                .await?;
        }
    }
    let shown = permit.caller.select::<kpi::Entity>();
    let shown: HashSet<KpiId> = shown
        .select_only()
        .column(kpi::Column::Id)
        .filter(kpi::Column::Id.is_in(was.iter().copied()))
        .into_tuple()
        .all(permit.tx())
        .await?
        .into_iter()
        .collect();
    let is_hidden = |id| !shown.contains(&id);
    let list = order::keep_hidden_members(&was, is_hidden, kpis);
    let list = list.into_iter().zip(1..);
    let list = list.map(|(kpi, position)| improvement_kpi::Model {
        improvement_id: row.id,
        kpi_id: kpi,
        position,
    });
    permit
        .replace_list::<improvement_kpi::Entity, improvement::Entity>(
            row,
            (its, position),
            list.collect(),
            serde_json::json!({ "kpiIds": kpis }),
        )
        .await
}

/// Deletes an improvement.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<improvement::Model> {
    let id: ImprovementId = input::parse_id("id", &input.id)?;
    let (row, mut permit) =
        fetch_improvement_at_version(caller, id, input.expected_version).await?;
    permit.delete::<improvement::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_improvement_at_version(
    caller: &Caller,
    id: ImprovementId,
    expected_version: i32,
) -> Result<(improvement::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<improvement::Entity>(Action::KeepImprovements, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<improvement::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
