//! What changes when the organisation does: a department is archived and another takes over what it held, in every
//! slice at once. What would be taken over is a plan, made by pure rules; the operation only carries it out.

pub mod graphql;

use std::collections::{BTreeSet, HashMap};

use async_graphql::{ID, InputObject};
use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, ResponsibilityId, TouchpointId},
    json::Texts,
    kpi, responsibility,
    words::{BlueprintState, BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};

use crate::{
    access::{Caller, Permit, expect_version, scope},
    department::{is_within, lock_tree, parents},
    error::{Error, Reason, Result, UserErrorCode},
    id,
    input::{Faults, LIST},
    policy::Action,
    responsibility::TAKEN,
};

/// Why a proposal is no longer open: the department that it was made to is archived.
pub const ARCHIVED: &str = "DEPARTMENT_ARCHIVED";

/// The end of a department, and who takes over what it holds.
#[derive(InputObject)]
pub struct DepartmentArchiveInput {
    /// Which one.
    pub id: ID,
    /// The version that you read; another one is a CONFLICT.
    pub expected_version: i32,
    /// The department that takes over its responsibilities, KPIs and blueprints; needed where there are any.
    pub successor_id: Option<ID>,
}

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

/// What is to be done with one responsibility or proposal.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It ends.
    End(responsibility::Model),
    /// The proposal is closed, for this reason.
    Decline(responsibility::Model, &'static str),
    /// It is accepted anew for the successor.
    Accept(responsibility::Model),
    /// The successor's own takes in these tasks.
    Merge(responsibility::Model, Vec<String>),
    /// The proposal is made to the successor instead.
    Address(responsibility::Model),
    /// The proposal counts as made by the successor.
    Speak(responsibility::Model),
    /// The proposal would now take over from the successor: of what this one was.
    Replace(responsibility::Model, ResponsibilityId),
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

    /// What becomes of the responsibilities and proposals, in the order in which it has to be done: what ends first,
    /// so that nothing is ever held twice.
    #[must_use]
    pub fn plan(&self, successor: Option<DepartmentId>) -> Vec<Step> {
        match successor {
            Some(successor) => self.hand_over(successor),
            None => self.let_go(),
        }
    }

    fn let_go(&self) -> Vec<Step> {
        self.held
            .iter()
            .map(|held| match held.status {
                ResponsibilityStatus::Proposed => Step::Decline(held.clone(), ARCHIVED),
                _ => Step::End(held.clone()),
            })
            .collect()
    }

    fn hand_over(&self, successor: DepartmentId) -> Vec<Step> {
        let mut steps = Vec::new();
        for held in &self.held {
            let met = self.meets(held);
            match (held.status, met) {
                (ResponsibilityStatus::Proposed, Some(_)) => {
                    steps.push(Step::Decline(held.clone(), TAKEN));
                }
                (ResponsibilityStatus::Proposed, None) => steps.push(Step::Address(held.clone())),
                (_, Some(met)) if met.status == ResponsibilityStatus::Accepted => {
                    steps.push(Step::End(held.clone()));
                    steps.push(Step::Merge(met.clone(), held.tasks.0.clone()));
                }
                (_, met) => {
                    steps.push(Step::End(held.clone()));
                    steps.extend(met.map(|met| Step::Decline(met.clone(), TAKEN)));
                    steps.push(Step::Accept(held.clone()));
                    steps.extend(self.rivals_of(held, successor));
                }
            }
        }
        let others = |made: &&responsibility::Model| made.department_id != successor;
        steps.extend(self.made.iter().filter(others).cloned().map(Step::Speak));
        steps
    }

    /// What the successor has of the same role at the same touchpoint.
    fn meets(&self, held: &responsibility::Model) -> Option<&responsibility::Model> {
        self.met
            .iter()
            .find(|met| met.touchpoint_id == held.touchpoint_id && met.role == held.role)
    }

    /// The proposals of others to take over from this one; the successor's own is closed already.
    fn rivals_of(
        &self,
        held: &responsibility::Model,
        successor: DepartmentId,
    ) -> impl Iterator<Item = Step> {
        let from = held.id;
        self.rivals
            .iter()
            .filter(move |rival| {
                rival.replaces_id == Some(from) && rival.department_id != successor
            })
            .map(move |rival| Step::Replace(rival.clone(), from))
    }
}

/// Archives a department; its successor takes over what it holds.
pub async fn archive(caller: &Caller, input: DepartmentArchiveInput) -> Result<department::Model> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.id("id", &input.id);
    let successor: Option<DepartmentId> =
        faults.optional_id("successorId", input.successor_id.as_ref());
    faults.check()?;
    let mut permit = lock_tree(caller, id).await?;
    let row = permit.read::<department::Entity>("id", id).await?;
    expect_version::<department::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_some() {
        return Ok(row);
    }
    if let Some(successor) = successor {
        check_successor(&permit, id, successor).await?;
        permit.concerns(successor);
    }
    refuse_with_children(&permit, &row).await?;
    let holdings = locked_holdings(&mut permit, id, successor).await?;
    let row = permit
        .fetch::<department::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    expect_version::<department::Entity>(&row, input.expected_version)?;
    if successor.is_none() && holdings.needs_successor() {
        return Err(successor_needed());
    }
    let steps = holdings.plan(successor);
    carry_out(&mut permit, steps, id, successor).await?;
    if let Some(successor) = successor {
        give_ownership(&mut permit, &holdings, successor).await?;
    }
    let change = department::ActiveModel {
        successor_id: Set(successor),
        archived_at: Set(Some(caller.now)),
        ..Default::default()
    };
    let row = permit.update::<department::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

async fn check_successor(
    permit: &Permit<'_>,
    id: DepartmentId,
    successor: DepartmentId,
) -> Result<()> {
    permit
        .read_live::<department::Entity>("successorId", successor)
        .await?;
    if is_within(&parents(permit).await?, successor, id) {
        return Err(Error::fault(
            "successorId",
            UserErrorCode::Invalid,
            Some(Reason::Cycle),
            "The successor cannot be the department itself or one below it.",
        ));
    }
    Ok(())
}

async fn refuse_with_children(permit: &Permit<'_>, row: &department::Model) -> Result<()> {
    let below = department::Entity::find()
        .filter(department::Column::ParentId.eq(row.id))
        .filter(department::Column::ArchivedAt.is_null())
        .count(permit.tx())
        .await?;
    if below == 0 {
        return Ok(());
    }
    let message =
        format!("There are {below} departments that are part of it. Move or archive them first.");
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}

// How much it is stays unsaid: some of it may lie where the caller does not read.
fn successor_needed() -> Error {
    Error::fault(
        "successorId",
        UserErrorCode::Required,
        Some(Reason::SuccessorNeeded),
        "It holds responsibilities, KPIs or blueprints: say who takes over.",
    )
}

/// What a department holds, read after the locks of every blueprint that it lies in: in ascending order, and once
/// more for what came in between.
async fn locked_holdings(
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

/// Does what was planned, step by step.
async fn carry_out(
    permit: &mut Permit<'_>,
    steps: Vec<Step>,
    from: DepartmentId,
    successor: Option<DepartmentId>,
) -> Result<()> {
    let now = permit.caller.now;
    let mut became: HashMap<ResponsibilityId, ResponsibilityId> = HashMap::new();
    for step in steps {
        let (row, change) = match step {
            Step::End(row) => {
                let end = responsibility::ActiveModel {
                    status: Set(ResponsibilityStatus::Ended),
                    valid_to: Set(Some(now)),
                    ..Default::default()
                };
                (row, end)
            }
            Step::Decline(row, reason) => {
                let no = responsibility::ActiveModel {
                    status: Set(ResponsibilityStatus::Declined),
                    reason: Set(Some(reason.to_owned())),
                    decided_at: Set(Some(now)),
                    decided_by_account_id: Set(permit.caller.account()),
                    ..Default::default()
                };
                (row, no)
            }
            Step::Accept(row) => {
                if let Some(successor) = successor {
                    let fresh = accepted(permit, &row, successor);
                    let made = permit.insert::<responsibility::Entity>(fresh).await?;
                    became.insert(row.id, made.id);
                }
                continue;
            }
            Step::Merge(row, tasks) => {
                let merged = responsibility::ActiveModel {
                    tasks: Set(Texts(union(&row.tasks.0, tasks))),
                    ..Default::default()
                };
                (row, merged)
            }
            Step::Address(row) => {
                let own = row.proposed_by_department_id == Some(from);
                let mut address = responsibility::ActiveModel::default();
                if let Some(successor) = successor {
                    address.department_id = Set(successor);
                    if own {
                        address.proposed_by_department_id = Set(Some(successor));
                    }
                }
                (row, address)
            }
            Step::Speak(row) => {
                let speak = responsibility::ActiveModel {
                    proposed_by_department_id: Set(successor),
                    ..Default::default()
                };
                (row, speak)
            }
            Step::Replace(row, was) => {
                let replace = responsibility::ActiveModel {
                    replaces_id: Set(became.get(&was).copied()),
                    ..Default::default()
                };
                (row, replace)
            }
        };
        permit.concerns(row.department_id);
        change_one(permit, &row, change).await?;
    }
    Ok(())
}

/// Changes a responsibility as it is now: an earlier step may have changed it already.
async fn change_one(
    permit: &mut Permit<'_>,
    row: &responsibility::Model,
    change: responsibility::ActiveModel,
) -> Result<()> {
    let now = responsibility::Entity::find_by_id(row.id)
        .one(permit.tx())
        .await?;
    let now = now.ok_or_else(|| Error::internal(format!("{} is gone", row.id)))?;
    permit
        .update::<responsibility::Entity>(&now, change)
        .await?;
    Ok(())
}

/// A responsibility in force as the successor holds it from now on.
fn accepted(
    permit: &Permit<'_>,
    held: &responsibility::Model,
    successor: DepartmentId,
) -> responsibility::ActiveModel {
    let caller = permit.caller;
    responsibility::ActiveModel {
        id: Set(id::new()),
        blueprint_id: Set(held.blueprint_id),
        touchpoint_id: Set(held.touchpoint_id),
        department_id: Set(successor),
        role: Set(held.role),
        status: Set(ResponsibilityStatus::Accepted),
        tasks: Set(held.tasks.clone()),
        person_id: Set(held.person_id),
        note: Set(held.note.clone()),
        proposed_by_department_id: Set(None),
        proposed_by_account_id: Set(caller.account()),
        proposed_at: Set(caller.now),
        replaces_id: Set((held.role == Role::Accountable).then_some(held.id)),
        reason: Set(None),
        decided_at: Set(Some(caller.now)),
        decided_by_account_id: Set(caller.account()),
        valid_from: Set(Some(caller.now)),
        valid_to: Set(None),
        created_at: Set(caller.now),
        version: Set(1),
    }
}

/// The tasks of both, each once, as many as a list takes.
fn union(own: &[String], more: Vec<String>) -> Vec<String> {
    let mut all = own.to_vec();
    for task in more {
        if !all.contains(&task) && all.len() < LIST {
            all.push(task);
        }
    }
    all
}

async fn give_ownership(
    permit: &mut Permit<'_>,
    holdings: &Holdings,
    successor: DepartmentId,
) -> Result<()> {
    for row in &holdings.owned {
        let change = blueprint::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<blueprint::Entity>(row, change).await?;
    }
    for row in &holdings.kpis {
        let change = kpi::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<kpi::Entity>(row, change).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::words::{Subject, Visibility};
    use uuid::Uuid;

    use super::*;

    const OLD: u128 = 1;
    const NEW: u128 = 2;
    const OTHER: u128 = 3;

    fn department(n: u128) -> DepartmentId {
        Uuid::from_u128(n).into()
    }

    fn responsibility(
        n: u128,
        of: u128,
        role: Role,
        status: ResponsibilityStatus,
    ) -> responsibility::Model {
        responsibility::Model {
            id: Uuid::from_u128(n).into(),
            blueprint_id: Uuid::from_u128(1).into(),
            touchpoint_id: Uuid::from_u128(1).into(),
            department_id: department(of),
            role,
            status,
            tasks: Texts(vec![format!("task {n}")]),
            person_id: None,
            note: None,
            proposed_by_department_id: None,
            proposed_by_account_id: None,
            proposed_at: DateTime::UNIX_EPOCH,
            replaces_id: None,
            reason: None,
            decided_at: None,
            decided_by_account_id: None,
            valid_from: None,
            valid_to: None,
            created_at: DateTime::UNIX_EPOCH,
            version: 1,
        }
    }

    fn blueprint(state: BlueprintState, status: BlueprintStatus) -> blueprint::Model {
        blueprint::Model {
            id: Uuid::from_u128(1).into(),
            key: "b".to_owned(),
            title: "A journey".to_owned(),
            subject: Subject::Customer,
            state,
            status,
            archived_from: None,
            visibility: Visibility::Organisation,
            persona_id: Uuid::from_u128(1).into(),
            owner_department_id: department(OTHER),
            next_review_on: None,
            published_number: None,
            published_revision: None,
            created_at: DateTime::UNIX_EPOCH,
            copied_from_id: None,
            archived_at: None,
            version: 1,
            revision: 1,
        }
    }

    use ResponsibilityStatus::{Accepted, Proposed};

    #[test]
    fn what_is_in_force_ends_and_is_accepted_anew() {
        let held = responsibility(1, OLD, Role::Accountable, Accepted);
        let rival = responsibility::Model {
            replaces_id: Some(held.id),
            ..responsibility(2, OTHER, Role::Accountable, Proposed)
        };
        let holdings = Holdings {
            held: vec![held.clone()],
            rivals: vec![rival.clone()],
            ..Holdings::default()
        };
        let plan = [
            Step::End(held.clone()),
            Step::Accept(held.clone()),
            Step::Replace(rival, held.id),
        ];
        assert_eq!(holdings.plan(Some(department(NEW))), plan);
    }

    #[test]
    fn duplicates_merge() {
        let held = responsibility(1, OLD, Role::Responsible, Accepted);
        let own = responsibility(2, NEW, Role::Responsible, Accepted);
        let holdings = Holdings {
            held: vec![held.clone()],
            met: vec![own.clone()],
            ..Holdings::default()
        };
        let tasks = vec!["task 1".to_owned()];
        assert_eq!(
            holdings.plan(Some(department(NEW))),
            [Step::End(held), Step::Merge(own.clone(), tasks.clone())]
        );
        assert_eq!(union(&own.tasks.0, tasks), ["task 2", "task 1"]);
    }

    #[test]
    fn what_the_successor_was_offered_gives_way_to_what_it_takes_over() {
        let held = responsibility(1, OLD, Role::Accountable, Accepted);
        let offered = responsibility::Model {
            replaces_id: Some(held.id),
            ..responsibility(2, NEW, Role::Accountable, Proposed)
        };
        let holdings = Holdings {
            held: vec![held.clone()],
            rivals: vec![offered.clone()],
            met: vec![offered.clone()],
            ..Holdings::default()
        };
        let plan = [
            Step::End(held.clone()),
            Step::Decline(offered, TAKEN),
            Step::Accept(held),
        ];
        assert_eq!(holdings.plan(Some(department(NEW))), plan);
    }

    #[test]
    fn proposals_are_addressed_anew_or_closed() {
        let first = responsibility(1, OLD, Role::Consulted, Proposed);
        let second = responsibility(2, OLD, Role::Informed, Proposed);
        let met = responsibility(3, NEW, Role::Informed, Proposed);
        let made = responsibility(4, OTHER, Role::Responsible, Proposed);
        let made_to_successor = responsibility(5, NEW, Role::Responsible, Proposed);
        let holdings = Holdings {
            held: vec![first.clone(), second.clone()],
            met: vec![met],
            made: vec![made.clone(), made_to_successor],
            ..Holdings::default()
        };
        let plan = [
            Step::Address(first),
            Step::Decline(second, TAKEN),
            Step::Speak(made),
        ];
        assert_eq!(holdings.plan(Some(department(NEW))), plan);
    }

    #[test]
    fn only_what_counts_needs_a_successor_and_the_rest_is_let_go() {
        let held = responsibility(1, OLD, Role::Responsible, Accepted);
        let asked = responsibility(2, OLD, Role::Accountable, Proposed);
        let within = |blueprint: blueprint::Model| Holdings {
            held: vec![held.clone(), asked.clone()],
            blueprints: [(blueprint.id, blueprint)].into(),
            ..Holdings::default()
        };
        assert!(
            within(blueprint(
                BlueprintState::Current,
                BlueprintStatus::Published
            ))
            .needs_successor()
        );
        assert!(
            !within(blueprint(BlueprintState::Current, BlueprintStatus::Draft)).needs_successor()
        );
        assert!(
            !within(blueprint(
                BlueprintState::Future,
                BlueprintStatus::Published
            ))
            .needs_successor()
        );
        assert!(!Holdings::default().needs_successor());
        assert_eq!(
            within(blueprint(BlueprintState::Current, BlueprintStatus::Draft)).plan(None),
            [
                Step::End(held.clone()),
                Step::Decline(asked.clone(), ARCHIVED)
            ]
        );
    }
}
