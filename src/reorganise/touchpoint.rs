//! A touchpoint is archived, with what hangs on it; or somebody asks what that would change.

use async_graphql::ID;
use entity::{blueprint, id::TouchpointId, responsibility, touchpoint};
use sea_orm::{EntityTrait, QuerySelect, QueryTrait};

use super::{
    Impact, Step, asked,
    carry_out::carry_out,
    links,
    links::Hung,
    plan::{TOUCHPOINT_ARCHIVED, let_go},
};
use crate::{
    access::{Caller, Guarded, Permit, live},
    canvas::whole::{LOAD, Whole},
    compute::{self, ROW},
    database::Transaction,
    error::{Error, Result},
    input::{self, AtVersionInput},
    policy::Action,
    touchpoint::{fetch, put_away},
};

/// Archives a touchpoint and ends its responsibilities.
pub async fn archive(
    caller: &Caller,
    input: &AtVersionInput,
) -> Result<(touchpoint::Model, Impact)> {
    let (row, mut permit) = fetch(caller, input).await?;
    if row.archived_at.is_some() {
        return Ok((row, Impact::default()));
    }
    let whole = whole(caller, permit.tx(), &row).await?;
    let (steps, impact) = plan(caller, permit.tx(), &whole, row.id).await?;
    carry_out(&mut permit, steps, &[].into(), None).await?;
    let row = put_away(&mut permit, &row).await?;
    permit.commit().await?;
    Ok((row, impact))
}

/// Ends what departments hold at a touchpoint that goes, and closes what they are offered there.
pub async fn end(permit: &mut Permit<'_>, held: &[responsibility::Model]) -> Result<()> {
    carry_out(permit, let_go(held, TOUCHPOINT_ARCHIVED), &[].into(), None).await
}

/// What archiving a touchpoint would change, as far as the caller may see it.
pub async fn archive_impact(caller: &Caller, id: &ID) -> Result<Option<Impact>> {
    let id: TouchpointId = input::id("id", id)?;
    let _turn = caller.budget.load().await?;
    caller.budget.spend(LOAD)?;
    let tx = caller.snapshot().await?;
    let about = asked::about::<touchpoint::Entity>(caller, &tx, Action::ShapeBlueprint, id);
    let Some(row) = about.await? else {
        return Ok(None);
    };
    if row.archived_at.is_some() {
        return Ok(Some(Impact::default()));
    }
    let whole = whole(caller, &tx, &row).await?;
    let (steps, hung) = hanging(caller, &tx, &whole, id).await?;
    tx.commit().await?;
    caller.budget.spend(ROW * whole.rows() as u64)?;
    let checks = [live::<blueprint::Entity>("id", &whole.canvas.blueprint)];
    let work = move |_: &compute::Steps| Ok(Impact::of_touchpoint(&whole, id, &steps, &hung));
    let impact = caller.compute(work).await?;
    impact.hindered_by(checks).map(Some)
}

async fn whole(caller: &Caller, tx: &Transaction, row: &touchpoint::Model) -> Result<Whole> {
    let blueprint = asked::row::<blueprint::Entity>(caller, tx, row.blueprint_id).await?;
    let blueprint = blueprint.ok_or_else(|| Error::not_found("id", touchpoint::Entity::NOUN))?;
    Whole::read(caller, tx, blueprint, caller.today).await
}

async fn plan(
    caller: &Caller,
    tx: &Transaction,
    whole: &Whole,
    id: TouchpointId,
) -> Result<(Vec<Step>, Impact)> {
    let (steps, hung) = hanging(caller, tx, whole, id).await?;
    let impact = Impact::of_touchpoint(whole, id, &steps, &hung);
    Ok((steps, impact))
}

/// What ends with a touchpoint, and what hangs on it.
async fn hanging(
    caller: &Caller,
    tx: &Transaction,
    whole: &Whole,
    id: TouchpointId,
) -> Result<(Vec<Step>, Hung)> {
    let itself = touchpoint::Entity::find_by_id(id)
        .select_only()
        .column(touchpoint::Column::Id);
    let hung = links::at(caller, tx, itself.into_query()).await?;
    let steps = let_go(whole.canvas.responsibilities_of(id), TOUCHPOINT_ARCHIVED);
    Ok((steps, hung))
}
