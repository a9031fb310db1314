//! What ties a row to departments and accounts, loaded for a decision about it.

use std::collections::BTreeSet;

use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, KpiId, TouchpointId},
    kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, phase, responsibility, scenario,
    touchpoint, transition,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ModelTrait, QueryFilter,
    QuerySelect,
};

use crate::policy::{Relation, Ties};

type Answer = Result<Ties, DbErr>;

/// Nothing ties it to a department.
pub(super) async fn none<M: ModelTrait>(_: &DatabaseTransaction, _: &M) -> Answer {
    Ok(Ties::none())
}

pub(super) async fn department(_: &DatabaseTransaction, row: &department::Model) -> Answer {
    Ok(Ties::none().and(Relation::IsIt, [row.id]))
}

pub(super) async fn membership(_: &DatabaseTransaction, row: &membership::Model) -> Answer {
    Ok(Ties::none().and(Relation::IsIt, [row.department_id]))
}

pub(super) async fn blueprint(_: &DatabaseTransaction, row: &blueprint::Model) -> Answer {
    Ok(Ties::none().and(Relation::OwnsBlueprint, [row.owner_department_id]))
}

async fn owner(tx: &DatabaseTransaction, id: BlueprintId) -> Answer {
    let owner: Option<DepartmentId> = blueprint::Entity::find_by_id(id)
        .select_only()
        .column(blueprint::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(Ties::none().and(Relation::OwnsBlueprint, owner))
}

pub(super) async fn phase(tx: &DatabaseTransaction, row: &phase::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn transition(tx: &DatabaseTransaction, row: &transition::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn scenario(tx: &DatabaseTransaction, row: &scenario::Model) -> Answer {
    owner(tx, row.blueprint_id).await
}

pub(super) async fn touchpoint(tx: &DatabaseTransaction, row: &touchpoint::Model) -> Answer {
    Ok(owner(tx, row.blueprint_id)
        .await?
        .and(Relation::Delivers, delivering(tx, row.id).await?))
}

/// The departments that are RESPONSIBLE or ACCOUNTABLE at a touchpoint.
pub async fn delivering<C: ConnectionTrait>(
    db: &C,
    touchpoint: TouchpointId,
) -> Result<BTreeSet<DepartmentId>, DbErr> {
    let departments: Vec<DepartmentId> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::DepartmentId)
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .filter(responsibility::Column::Role.is_in([Role::Responsible, Role::Accountable]))
        .into_tuple()
        .all(db)
        .await?;
    Ok(departments.into_iter().collect())
}

pub(super) async fn responsibility(
    tx: &DatabaseTransaction,
    row: &responsibility::Model,
) -> Answer {
    let ties = owner(tx, row.blueprint_id).await?;
    Ok(ties
        .and(Relation::Holds, [row.department_id])
        .and(Relation::Proposes, row.proposed_by_department_id))
}

pub(super) async fn kpi(_: &DatabaseTransaction, row: &kpi::Model) -> Answer {
    Ok(Ties::none().and(Relation::OwnsKpi, [row.owner_department_id]))
}

async fn of_kpi(tx: &DatabaseTransaction, id: KpiId) -> Answer {
    let owner: Option<DepartmentId> = kpi::Entity::find_by_id(id)
        .select_only()
        .column(kpi::Column::OwnerDepartmentId)
        .into_tuple()
        .one(tx)
        .await?;
    Ok(Ties::none().and(Relation::OwnsKpi, owner))
}

pub(super) async fn kpi_target(tx: &DatabaseTransaction, row: &kpi_target::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn kpi_link(tx: &DatabaseTransaction, row: &kpi_link::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn kpi_grant(tx: &DatabaseTransaction, row: &kpi_grant::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}

pub(super) async fn measurement(tx: &DatabaseTransaction, row: &measurement::Model) -> Answer {
    of_kpi(tx, row.kpi_id).await
}
