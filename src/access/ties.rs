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
    policy::{Relation, RowTies},
};

type TiesResult = Result<RowTies, DbErr>;

/// Nothing ties it to a department.
pub(super) async fn no_ties<M: ModelTrait>(_: &Transaction, _: &M) -> TiesResult {
    Ok(RowTies::none())
}

pub(super) async fn department_ties(_: &Transaction, row: &department::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::IsIt, [row.id]))
}

pub(super) async fn membership_ties(_: &Transaction, row: &membership::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::IsIt, [row.department_id]))
}

pub(super) async fn blueprint_ties(_: &Transaction, row: &blueprint::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::OwnsBlueprint, [row.owner_department_id]))
}

async fn blueprint_owner_ties(tx: &Transaction, id: BlueprintId) -> TiesResult {
    let owner: Option<DepartmentId> = blueprint::Entity::find_by_id(id)
        .select_only()
        .column(blueprint::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(RowTies::none().with_departments(Relation::OwnsBlueprint, owner))
}

pub(super) async fn phase_ties(tx: &Transaction, row: &phase::Model) -> TiesResult {
    blueprint_owner_ties(tx, row.blueprint_id).await
}

pub(super) async fn transition_ties(tx: &Transaction, row: &transition::Model) -> TiesResult {
    blueprint_owner_ties(tx, row.blueprint_id).await
}

pub(super) async fn scenario_ties(tx: &Transaction, row: &scenario::Model) -> TiesResult {
    blueprint_owner_ties(tx, row.blueprint_id).await
}

pub(super) async fn publication_ties(tx: &Transaction, row: &publication::Model) -> TiesResult {
    blueprint_owner_ties(tx, row.blueprint_id).await
}

pub(super) async fn source_ties(tx: &Transaction, row: &source::Model) -> TiesResult {
    location_ties(tx, row.blueprint_id, None, None).await
}

pub(super) async fn insight_ties(tx: &Transaction, row: &insight::Model) -> TiesResult {
    location_ties(tx, row.blueprint_id, row.phase_id, row.touchpoint_id).await
}

pub(super) async fn promise_ties(tx: &Transaction, row: &promise::Model) -> TiesResult {
    location_ties(tx, row.blueprint_id, None, Some(row.touchpoint_id)).await
}

pub(super) async fn evaluation_ties(tx: &Transaction, row: &evaluation::Model) -> TiesResult {
    location_ties(tx, row.blueprint_id, None, Some(row.touchpoint_id)).await
}

pub(super) async fn improvement_ties(_: &Transaction, row: &improvement::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::OwnsImprovement, [row.owner_department_id]))
}

/// The ties of a place in a blueprint: its owner, and the departments that deliver at the touchpoint, at any touchpoint
/// of the phase, or at any of the blueprint, whichever is given first.
pub async fn location_ties(
    tx: &Transaction,
    blueprint: BlueprintId,
    phase: Option<PhaseId>,
    touchpoint: Option<TouchpointId>,
) -> TiesResult {
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
        .filter(scope::delivering_role_condition())
        .into_tuple()
        .all(tx)
        .await?;
    Ok(blueprint_owner_ties(tx, blueprint)
        .await?
        .with_departments(Relation::Delivers, delivering))
}

pub(super) async fn touchpoint_ties(tx: &Transaction, row: &touchpoint::Model) -> TiesResult {
    location_ties(tx, row.blueprint_id, None, Some(row.id)).await
}

pub(super) async fn responsibility_ties(
    tx: &Transaction,
    row: &responsibility::Model,
) -> TiesResult {
    let ties = blueprint_owner_ties(tx, row.blueprint_id).await?;
    Ok(ties
        .with_departments(Relation::Holds, [row.department_id])
        .with_departments(Relation::Proposes, row.proposed_by_department_id))
}

pub(super) async fn kpi_ties(_: &Transaction, row: &kpi::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::OwnsKpi, [row.owner_department_id]))
}

async fn kpi_owner_ties(tx: &Transaction, id: KpiId) -> TiesResult {
    let owner: Option<DepartmentId> = kpi::Entity::find_by_id(id)
        .select_only()
        .column(kpi::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(RowTies::none().with_departments(Relation::OwnsKpi, owner))
}

pub(super) async fn kpi_target_ties(tx: &Transaction, row: &kpi_target::Model) -> TiesResult {
    kpi_owner_ties(tx, row.kpi_id).await
}

pub(super) async fn kpi_link_ties(tx: &Transaction, row: &kpi_link::Model) -> TiesResult {
    kpi_owner_ties(tx, row.kpi_id).await
}

pub(super) async fn kpi_grant_ties(tx: &Transaction, row: &kpi_grant::Model) -> TiesResult {
    kpi_owner_ties(tx, row.kpi_id).await
}

pub(super) async fn feedback_ties(_: &Transaction, row: &feedback::Model) -> TiesResult {
    Ok(RowTies::none().with_departments(Relation::LooksAfter, row.department_id))
}

pub(super) async fn follow_up_ties(tx: &Transaction, row: &follow_up::Model) -> TiesResult {
    let department: Option<Option<DepartmentId>> = feedback::Entity::find_by_id(row.feedback_id)
        .select_only()
        .column(feedback::Column::DepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(RowTies::none().with_departments(Relation::LooksAfter, department.flatten()))
}

pub(super) async fn measurement_ties(tx: &Transaction, row: &measurement::Model) -> TiesResult {
    kpi_owner_ties(tx, row.kpi_id).await
}
