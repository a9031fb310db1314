//! Loads the ties of a row to departments, for a decision about it: at most two statements each.

use entity::{
    blueprint, department, evaluation, feedback, follow_up,
    id::{BlueprintId, DepartmentId, KpiId, PhaseId, TouchpointId},
    improvement, insight, kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, phase,
    promise, publication, responsibility, scenario, source, touchpoint, transition,
    words::ResponsibilityStatus,
};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, ModelTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::scope;
use crate::{
    database::Transaction,
    policy::{Relation, Ties},
};

type Answer = Result<Ties, DbErr>;

/// Nothing ties it to a department.
pub(super) async fn none<M: ModelTrait>(_: &Transaction, _: &M) -> Answer {
    Ok(Ties::none())
}

pub(super) async fn department(_: &Transaction, row: &department::Model) -> Answer {
    Ok(Ties::none().and(Relation::IsIt, [row.id]))
}

pub(super) async fn membership(_: &Transaction, row: &membership::Model) -> Answer {
    Ok(Ties::none().and(Relation::IsIt, [row.department_id]))
}

pub(super) async fn blueprint(_: &Transaction, row: &blueprint::Model) -> Answer {
    Ok(Ties::none().and(Relation::OwnsBlueprint, [row.owner_department_id]))
}

async fn owner(tx: &Transaction, id: BlueprintId) -> Answer {
    let owner: Option<DepartmentId> = blueprint::Entity::find_by_id(id)
        .select_only()
        .column(blueprint::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(Ties::none().and(Relation::OwnsBlueprint, owner))
}

pub(super) async fn phase(tx: &Transaction, row: &phase::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn transition(tx: &Transaction, row: &transition::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn scenario(tx: &Transaction, row: &scenario::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn publication(tx: &Transaction, row: &publication::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn source(tx: &Transaction, row: &source::Model) -> Answer {
    place(tx, row.blueprint_id, None, None).await
}

pub(super) async fn insight(tx: &Transaction, row: &insight::Model) -> Answer {
    place(tx, row.blueprint_id, row.phase_id, row.touchpoint_id).await
}

pub(super) async fn promise(tx: &Transaction, row: &promise::Model) -> Answer {
    place(tx, row.blueprint_id, None, Some(row.touchpoint_id)).await
}

pub(super) async fn evaluation(tx: &Transaction, row: &evaluation::Model) -> Answer {
    place(tx, row.blueprint_id, None, Some(row.touchpoint_id)).await
}

pub(super) async fn improvement(_: &Transaction, row: &improvement::Model) -> Answer {
    Ok(Ties::none().and(Relation::OwnsImprovement, [row.owner_department_id]))
}

/// The ties of a place in a blueprint: its owner, and the departments that deliver at the touchpoint, at any touchpoint
/// of the phase, or at any of the blueprint, whichever is given first.
pub async fn place(
    tx: &Transaction,
    blueprint: BlueprintId,
    phase: Option<PhaseId>,
    touchpoint: Option<TouchpointId>,
) -> Answer {
    let places = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::BlueprintId.eq(blueprint))
        .filter(
            Condition::all()
                .add_option(phase.map(|phase| touchpoint::Column::PhaseId.eq(phase)))
                .add_option(touchpoint.map(|id| touchpoint::Column::Id.eq(id))),
        );
    let delivering: Vec<DepartmentId> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::DepartmentId)
        // A department that delivers at many touchpoints of a phase is one tie.
        .distinct()
        .filter(responsibility::Column::TouchpointId.in_subquery(places.into_query()))
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .filter(scope::delivering())
        .into_tuple()
        .all(tx)
        .await?;
    Ok(owner(tx, blueprint)
        .await?
        .and(Relation::Delivers, delivering))
}

pub(super) async fn touchpoint(tx: &Transaction, row: &touchpoint::Model) -> Answer {
    place(tx, row.blueprint_id, None, Some(row.id)).await
}

pub(super) async fn responsibility(tx: &Transaction, row: &responsibility::Model) -> Answer {
    let ties = owner(tx, row.blueprint_id).await?;
    Ok(ties
        .and(Relation::Holds, [row.department_id])
        .and(Relation::Proposes, row.proposed_by_department_id))
}

pub(super) async fn kpi(_: &Transaction, row: &kpi::Model) -> Answer {
    Ok(Ties::none().and(Relation::OwnsKpi, [row.owner_department_id]))
}

async fn of_kpi(tx: &Transaction, id: KpiId) -> Answer {
    let owner: Option<DepartmentId> = kpi::Entity::find_by_id(id)
        .select_only()
        .column(kpi::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(Ties::none().and(Relation::OwnsKpi, owner))
}

pub(super) async fn kpi_target(tx: &Transaction, row: &kpi_target::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn kpi_link(tx: &Transaction, row: &kpi_link::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn kpi_grant(tx: &Transaction, row: &kpi_grant::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn feedback(_: &Transaction, row: &feedback::Model) -> Answer {
    Ok(Ties::none().and(Relation::LooksAfter, row.department_id))
}

pub(super) async fn follow_up(tx: &Transaction, row: &follow_up::Model) -> Answer {
    let department: Option<Option<DepartmentId>> = feedback::Entity::find_by_id(row.feedback_id)
        .select_only()
        .column(feedback::Column::DepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(Ties::none().and(Relation::LooksAfter, department.flatten()))
}

pub(super) async fn measurement(tx: &Transaction, row: &measurement::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}
