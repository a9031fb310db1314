//! Holdings of departments, read from every slice: all of them for the act, what the caller may see for a question.

use std::collections::{BTreeSet, HashMap};

use entity::{
    blueprint, department, follow_up,
    id::{BlueprintId, DepartmentId},
    improvement, kpi, responsibility,
    words::ResponsibilityStatus,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{LockType, SelectStatement},
};

use crate::{
    access::{Guarded, Permit, Principal, scope},
    database::Transaction,
    error::Result,
    feedback::open_follow_ups_condition,
    policy::CallerRoles,
};

/// What departments hold, and what stands beside it that a take-over would meet.
#[derive(Debug, Default)]
pub struct Holdings {
    /// The departments.
    pub of: BTreeSet<DepartmentId>,
    /// Their responsibilities in force and the proposals made to them, in the order of creation.
    pub held: Vec<responsibility::Model>,
    /// Proposals that they made to other departments.
    pub made: Vec<responsibility::Model>,
    /// Proposals by which others would take over from them.
    pub rivals: Vec<responsibility::Model>,
    /// What the successor holds and is offered already at the same touchpoints.
    pub met: Vec<responsibility::Model>,
    /// What others deliver at the same touchpoints.
    pub beside: Vec<responsibility::Model>,
    /// The blueprints of what they hold.
    pub blueprints: HashMap<BlueprintId, blueprint::Model>,
    /// The blueprints that they own, by id.
    pub owned: Vec<blueprint::Model>,
    /// The KPIs that they own, by id.
    pub kpis: Vec<kpi::Model>,
    /// The improvements that they own, planned or made, by id.
    pub improvements: Vec<improvement::Model>,
    /// What they have still to do about answers of customers, by id.
    pub follow_ups: Vec<follow_up::Model>,
    /// The departments that are part of them at once, by id.
    pub children: Vec<department::Model>,
}

impl Holdings {
    /// Rows that a plan goes through.
    #[must_use]
    pub fn row_count(&self) -> usize {
        let held = self.held.len() + self.made.len() + self.rivals.len();
        let beside = self.met.len() + self.beside.len();
        let owned = self.owned.len() + self.kpis.len() + self.improvements.len();
        held + beside + owned + self.follow_ups.len()
    }

    /// Reads what these departments hold, as far as somebody of this standing may see it.
    pub async fn load(
        tx: &Transaction,
        eyes: &CallerRoles,
        of: &BTreeSet<DepartmentId>,
        successor: Option<DepartmentId>,
    ) -> Result<Self> {
        use responsibility::Column as C;
        let ids = || of.iter().copied();
        let open = async |which: Condition| -> Result<Vec<responsibility::Model>> {
            let rows = responsibility::Entity::find()
                .filter(responsibility::Entity::readable_condition(
                    Principal::Standing(eyes),
                ))
                .filter(open_responsibilities_condition(which))
                .order_by_asc(C::CreatedAt)
                .order_by_asc(C::Id);
            Ok(rows.all(tx).await?)
        };
        let (held, made) = open(held_or_proposed_condition(of))
            .await?
            .into_iter()
            // One statement for both, since a proposal from one of them to another would otherwise come twice.
            .partition(|row: &responsibility::Model| of.contains(&row.department_id));
        let others = Condition::all().add(C::DepartmentId.is_not_in(ids()));
        let rivals = others
            .clone()
            .add(C::Status.eq(ResponsibilityStatus::Proposed))
            .add(C::ReplacesId.in_subquery(select_column_of_held_responsibilities(of, C::Id)));
        let there = C::TouchpointId.in_subquery(select_held_touchpoint_ids(of));
        let met = match successor {
            Some(successor) => {
                let its = Condition::all().add(C::DepartmentId.eq(successor));
                open(its.add(there.clone())).await?
            }
            None => Vec::new(),
        };
        let beside = others
            .add(C::Status.eq(ResponsibilityStatus::Accepted))
            .add(scope::delivering_role_condition())
            .add(there);
        let blueprints = blueprint::Entity::find()
            .filter(
                blueprint::Column::Id
                    .in_subquery(select_column_of_held_responsibilities(of, C::BlueprintId)),
            )
            .all(tx)
            .await?;
        Ok(Self {
            of: of.clone(),
            held,
            made,
            rivals: open(rivals).await?,
            met,
            beside: open(beside).await?,
            blueprints: blueprints.into_iter().map(|row| (row.id, row)).collect(),
            owned: select_owned_blueprints(of)
                .filter(blueprint::Entity::readable_condition(Principal::Standing(
                    eyes,
                )))
                .all(tx)
                .await?,
            kpis: select_owned_kpis(of)
                .filter(kpi::Entity::readable_condition(Principal::Standing(eyes)))
                .all(tx)
                .await?,
            improvements: select_owned_improvements(of)
                .filter(improvement::Entity::readable_condition(
                    Principal::Standing(eyes),
                ))
                .order_by_asc(improvement::Column::Id)
                .all(tx)
                .await?,
            follow_ups: follow_up::Entity::find()
                .filter(follow_up::Entity::readable_condition(Principal::Standing(
                    eyes,
                )))
                .filter(open_follow_ups_condition(of))
                .order_by_asc(follow_up::Column::Id)
                .all(tx)
                .await?,
            children: department::Entity::find()
                .filter(department::Entity::readable_condition(Principal::Standing(
                    eyes,
                )))
                .filter(department::Column::ParentId.is_in(ids()))
                .filter(department::Column::Id.is_not_in(ids()))
                .filter(department::Column::ArchivedAt.is_null())
                .order_by_asc(department::Column::Id)
                .all(tx)
                .await?,
        })
    }

    /// Whether somebody has to take over. Responsibilities count where facts count them; blueprints and KPIs need
    /// an owner whatever their state, and customers who wait somebody who looks after them.
    #[must_use]
    pub fn needs_successor(&self) -> bool {
        let counts = |held: &responsibility::Model| {
            self.blueprints
                .get(&held.blueprint_id)
                .is_some_and(scope::is_published_current_blueprint)
        };
        !self.owned.is_empty()
            || !self.kpis.is_empty()
            || !self.follow_ups.is_empty()
            || self.held.iter().any(counts)
    }
}

/// Takes the locks of every blueprint and KPI in which these departments hold anything: blueprints in ascending
/// order, and once more for what came in between.
pub(super) async fn lock_blueprints_and_kpis(
    permit: &mut Permit<'_>,
    of: &BTreeSet<DepartmentId>,
) -> Result<()> {
    for _ in 0..2 {
        for blueprint in load_blueprint_ids(permit, of).await? {
            permit.lock_blueprint(blueprint).await?;
        }
    }
    // After the blueprints, in the order of locks that everybody keeps.
    select_owned_kpis(of)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    Ok(())
}

async fn load_blueprint_ids(
    permit: &Permit<'_>,
    of: &BTreeSet<DepartmentId>,
) -> Result<BTreeSet<BlueprintId>> {
    let owned: Vec<BlueprintId> = select_owned_blueprints(of)
        .select_only()
        .column(blueprint::Column::Id)
        .into_tuple()
        .all(permit.tx())
        .await?;
    let taken_part_in: Vec<BlueprintId> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .filter(open_responsibilities_condition(held_or_proposed_condition(
            of,
        )))
        .distinct()
        .into_tuple()
        .all(permit.tx())
        .await?;
    let improved: Vec<BlueprintId> = select_owned_improvements(of)
        .select_only()
        .column(improvement::Column::BlueprintId)
        .distinct()
        .into_tuple()
        .all(permit.tx())
        .await?;
    let owned = owned.into_iter();
    Ok(owned.chain(taken_part_in).chain(improved).collect())
}

fn select_owned_blueprints(of: &BTreeSet<DepartmentId>) -> Select<blueprint::Entity> {
    blueprint::Entity::find()
        .filter(blueprint::Column::OwnerDepartmentId.is_in(of.iter().copied()))
        .order_by_asc(blueprint::Column::Id)
}

fn select_owned_improvements(of: &BTreeSet<DepartmentId>) -> Select<improvement::Entity> {
    improvement::Entity::find()
        .filter(improvement::Column::OwnerDepartmentId.is_in(of.iter().copied()))
}

fn select_owned_kpis(of: &BTreeSet<DepartmentId>) -> Select<kpi::Entity> {
    kpi::Entity::find()
        .filter(kpi::Column::OwnerDepartmentId.is_in(of.iter().copied()))
        .order_by_asc(kpi::Column::Id)
}

fn open_responsibilities_condition(more: Condition) -> Condition {
    Condition::all()
        .add(scope::open_responsibility_condition())
        .add(more)
}

fn held_or_proposed_condition(of: &BTreeSet<DepartmentId>) -> Condition {
    let by_them = Condition::any()
        .add(responsibility::Column::ProposedByDepartmentId.is_in(of.iter().copied()))
        .add(responsibility::Column::ProposedFromDepartmentId.is_in(of.iter().copied()));
    let made = Condition::all()
        .add(by_them)
        .add(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed));
    Condition::any()
        .add(responsibility::Column::DepartmentId.is_in(of.iter().copied()))
        .add(made)
}

/// A column of what these departments hold or are offered.
fn select_column_of_held_responsibilities(
    of: &BTreeSet<DepartmentId>,
    column: responsibility::Column,
) -> SelectStatement {
    let held = responsibility::Column::DepartmentId.is_in(of.iter().copied());
    responsibility::Entity::find()
        .select_only()
        .column(column)
        .filter(open_responsibilities_condition(Condition::all().add(held)))
        .into_query()
}

/// The touchpoints at which these departments hold anything or are offered it.
pub(super) fn select_held_touchpoint_ids(of: &BTreeSet<DepartmentId>) -> SelectStatement {
    select_column_of_held_responsibilities(of, responsibility::Column::TouchpointId)
}
