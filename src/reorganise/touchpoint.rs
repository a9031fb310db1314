//! A touchpoint is archived, with what hangs on it, or comes back; or somebody asks what archiving it would change.

use async_graphql::ID;
use entity::{blueprint, id::TouchpointId, responsibility, touchpoint};
use sea_orm::{EntityTrait, QuerySelect, QueryTrait};

use super::{
    carry_out::carry_out, impact::ReorganisationImpact, links, links::KpiLinksAndDeliveries,
    plan::ResponsibilityPlanStep, plan::plan_suspension, question,
};
use crate::{
    access::{Caller, Guarded, Permit, require_unarchived},
    compute,
    database::Transaction,
    error::{Error, Result},
    input::{self, AtVersionInput},
    policy::Action,
    responsibility::resume::{refuse_suspending_others_accountable, resume_suspended},
    snapshot::WholeBlueprint,
    touchpoint::{archive_fetched, fetch_to_archive, unarchive_fetched},
};

/// Archives a touchpoint and suspends its responsibilities.
pub async fn archive(
    caller: &Caller,
    input: &AtVersionInput,
) -> Result<(touchpoint::Model, ReorganisationImpact)> {
    let (row, mut permit) = fetch_to_archive(caller, input).await?;
    if row.archived_at.is_some() {
        return Ok((row, ReorganisationImpact::default()));
    }
    let snapshot = load_whole_blueprint(caller, permit.tx(), &row).await?;
    refuse_suspending_others_accountable_at(caller, &snapshot, row.id)?;
    let (steps, impact) = plan_archiving(caller, permit.tx(), &snapshot, row.id).await?;
    carry_out(&mut permit, steps, &[].into(), None).await?;
    let row = archive_fetched(&mut permit, &row).await?;
    permit.commit().await?;
    Ok((row, impact))
}

/// Brings a touchpoint back to its old place; its responsibilities resume.
pub async fn unarchive(caller: &Caller, input: &AtVersionInput) -> Result<touchpoint::Model> {
    let (row, mut permit) = fetch_to_archive(caller, input).await?;
    let Some(archived_at) = row.archived_at else {
        return Ok(row);
    };
    let owner = permit
        .get::<blueprint::Entity>("id", row.blueprint_id)
        .await?
        .owner_department_id;
    let row = unarchive_fetched(&mut permit, &row).await?;
    resume_suspended(&mut permit, (row.id, archived_at), owner).await?;
    permit.commit().await?;
    Ok(row)
}

/// Suspends what departments hold at a touchpoint that an import leaves out, and closes what they are offered there.
pub async fn suspend_touchpoint_missing_from_import(
    permit: &mut Permit<'_>,
    blueprint: &blueprint::Model,
    held: &[responsibility::Model],
) -> Result<()> {
    refuse_suspending_others_accountable(permit.caller, blueprint, held)?;
    carry_out(permit, plan_suspension(held), &[].into(), None).await
}

/// What archiving a touchpoint would change, as far as the caller may see it.
pub async fn preview_archiving(caller: &Caller, id: &ID) -> Result<Option<ReorganisationImpact>> {
    let id: TouchpointId = input::parse_id("id", id)?;
    // A whole blueprint is read: no request holds more than two connections for that.
    let _turn = caller.budget.acquire_blueprint_load_slot().await?;
    let tx = caller.begin_snapshot().await?;
    let about =
        question::find_permitted_row::<touchpoint::Entity>(caller, &tx, Action::ShapeBlueprint, id);
    let Some(row) = about.await? else {
        return Ok(None);
    };
    if row.archived_at.is_some() {
        return Ok(Some(ReorganisationImpact::default()));
    }
    let snapshot = load_whole_blueprint(caller, &tx, &row).await?;
    let (steps, hung) = plan_suspension_and_load_links(caller, &tx, &snapshot, id).await?;
    // The connection goes back before the computing begins.
    tx.commit().await?;
    let checks = [
        require_unarchived::<blueprint::Entity>("id", &snapshot.canvas.blueprint),
        refuse_suspending_others_accountable_at(caller, &snapshot, id),
    ];
    let work = move |_: &compute::WorkBudget| {
        Ok(ReorganisationImpact::from_touchpoint(
            &snapshot, id, &steps, &hung,
        ))
    };
    let impact = caller.run_on_compute_pool(work).await?;
    impact.with_obstacles(checks).map(Some)
}

fn refuse_suspending_others_accountable_at(
    caller: &Caller,
    snapshot: &WholeBlueprint,
    id: TouchpointId,
) -> Result<()> {
    let held = snapshot.canvas.responsibilities_of_touchpoint(id);
    refuse_suspending_others_accountable(caller, &snapshot.canvas.blueprint, held)
}

async fn load_whole_blueprint(
    caller: &Caller,
    tx: &Transaction,
    row: &touchpoint::Model,
) -> Result<WholeBlueprint> {
    let blueprint =
        question::find_visible_row::<blueprint::Entity>(caller, tx, row.blueprint_id).await?;
    let blueprint = blueprint.ok_or_else(|| Error::not_found("id", touchpoint::Entity::NOUN))?;
    WholeBlueprint::load(caller, tx, blueprint, caller.today).await
}

async fn plan_archiving(
    caller: &Caller,
    tx: &Transaction,
    snapshot: &WholeBlueprint,
    id: TouchpointId,
) -> Result<(Vec<ResponsibilityPlanStep>, ReorganisationImpact)> {
    let (steps, hung) = plan_suspension_and_load_links(caller, tx, snapshot, id).await?;
    let impact = ReorganisationImpact::from_touchpoint(snapshot, id, &steps, &hung);
    Ok((steps, impact))
}

/// What ends with a touchpoint, and what hangs on it.
async fn plan_suspension_and_load_links(
    caller: &Caller,
    tx: &Transaction,
    snapshot: &WholeBlueprint,
    id: TouchpointId,
) -> Result<(Vec<ResponsibilityPlanStep>, KpiLinksAndDeliveries)> {
    let itself = touchpoint::Entity::find_by_id(id)
        .select_only()
        .column(touchpoint::Column::Id);
    let hung = links::load_kpi_links_and_deliveries(caller, tx, itself.into_query()).await?;
    let steps = plan_suspension(snapshot.canvas.responsibilities_of_touchpoint(id));
    Ok((steps, hung))
}
