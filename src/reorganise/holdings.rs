//! What a department holds, read from every slice.

use std::collections::{BTreeSet, HashMap};

use entity::{
    blueprint,
    id::{BlueprintId, DepartmentId, TouchpointId},
    kpi, responsibility,
    words::{BlueprintState, BlueprintStatus, ResponsibilityStatus},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use crate::{
    access::{Permit, scope},
    error::Result,
};

/// What a department holds, and what stands beside it that a take-over would meet.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Its responsibilities in force and the proposals made to it, in the order of creation.
    pub held: Vec<responsibility::Model>,
    /// Proposals that it made to other departments.
    pub made: Vec<responsibility::Model>,
    /// Proposals by which others would take over from it.
    pub rivals: Vec<responsibility::Model>,
    /// What the successor holds and is offered already at the same touchpoints.
    pub met: Vec<responsibility::Model>,
    /// The blueprints of all these.
    pub blueprints: HashMap<BlueprintId, blueprint::Model>,
    /// The blueprints that it owns, by id.
    pub owned: Vec<blueprint::Model>,
    /// The KPIs that it owns, by id.
    pub kpis: Vec<kpi::Model>,
}

/// What a department holds, read after the locks of every blueprint that it lies in: in ascending order, and once
/// more for what came in between.
pub(super) async fn locked(
    permit: &mut Permit<'_>,
    id: DepartmentId,
    successor: Option<DepartmentId>,
) -> Result<Holdings> {
    for _ in 0..2 {
        for blueprint in blueprints_of(permit, id).await? {
            permit.lock_blueprint(blueprint).await?;
        }
    }
    holdings(permit, id, successor).await
}

fn open_and(more: Condition) -> Condition {
    Condition::all().add(scope::open_responsibility()).add(more)
}

fn held_or_made(id: DepartmentId) -> Condition {
    let made = Condition::all()
        .add(responsibility::Column::ProposedByDepartmentId.eq(id))
        .add(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed));
    open_and(
        Condition::any()
            .add(responsibility::Column::DepartmentId.eq(id))
            .add(made),
    )
}

async fn blueprints_of(permit: &Permit<'_>, id: DepartmentId) -> Result<BTreeSet<BlueprintId>> {
    let owned: Vec<BlueprintId> = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::OwnerDepartmentId.eq(id))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let taken_part_in: Vec<BlueprintId> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .filter(held_or_made(id))
        .distinct()
        .into_tuple()
        .all(permit.tx())
        .await?;
    Ok(owned.into_iter().chain(taken_part_in).collect())
}

async fn open(permit: &Permit<'_>, which: Condition) -> Result<Vec<responsibility::Model>> {
    Ok(responsibility::Entity::find()
        .filter(open_and(which))
        .order_by_asc(responsibility::Column::CreatedAt)
        .order_by_asc(responsibility::Column::Id)
        .all(permit.tx())
        .await?)
}

async fn holdings(
    permit: &Permit<'_>,
    id: DepartmentId,
    successor: Option<DepartmentId>,
) -> Result<Holdings> {
    let all = open(permit, held_or_made(id)).await?;
    let (held, made): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|responsibility| responsibility.department_id == id);
    let ids = held.iter().map(|held| held.id);
    let rivals = Condition::all()
        .add(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed))
        .add(responsibility::Column::DepartmentId.ne(id))
        .add(responsibility::Column::ReplacesId.is_in(ids));
    let touchpoints: BTreeSet<TouchpointId> = held.iter().map(|held| held.touchpoint_id).collect();
    let met = match successor {
        Some(successor) => {
            let there = Condition::all()
                .add(responsibility::Column::DepartmentId.eq(successor))
                .add(responsibility::Column::TouchpointId.is_in(touchpoints));
            open(permit, there).await?
        }
        None => Vec::new(),
    };
    let lie_in: BTreeSet<BlueprintId> = held.iter().map(|held| held.blueprint_id).collect();
    let blueprints = blueprint::Entity::find()
        .filter(blueprint::Column::Id.is_in(lie_in))
        .all(permit.tx())
        .await?;
    Ok(Holdings {
        rivals: open(permit, rivals).await?,
        met,
        blueprints: blueprints.into_iter().map(|row| (row.id, row)).collect(),
        owned: blueprint::Entity::find()
            .filter(blueprint::Column::OwnerDepartmentId.eq(id))
            .order_by_asc(blueprint::Column::Id)
            .all(permit.tx())
            .await?,
        kpis: kpi::Entity::find()
            .filter(kpi::Column::OwnerDepartmentId.eq(id))
            .order_by_asc(kpi::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .all(permit.tx())
            .await?,
        held,
        made,
    })
}

impl Holdings {
    /// Whether somebody has to take over. Responsibilities count where facts count them; blueprints and KPIs need
    /// an owner whatever their state.
    #[must_use]
    pub fn needs_successor(&self) -> bool {
        let counts = |held: &responsibility::Model| {
            self.blueprints
                .get(&held.blueprint_id)
                .is_some_and(|blueprint| {
                    let in_force = blueprint.status == BlueprintStatus::Published
                        || blueprint.archived_from == Some(BlueprintStatus::Published);
                    in_force && blueprint.state == BlueprintState::Current
                })
        };
        !self.owned.is_empty() || !self.kpis.is_empty() || self.held.iter().any(counts)
    }
}
