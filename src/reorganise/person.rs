//! A person goes: their account is deactivated; or somebody asks what that would change. What they did stays under
//! their name, and what they are named for stays theirs until somebody changes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::ID;
use entity::{
    account, blueprint, department,
    id::{AccountId, DepartmentId, ResponsibilityId},
    membership, responsibility,
    words::DepartmentRole,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::{impact::ReorganisationImpact, question};
use crate::{
    access::{Caller, scope},
    account::{count_other_admins, deactivate as deactivate_account, refuse_last_admin},
    compute::WorkBudget,
    database::Transaction,
    department::{ancestors_and_self, load_parent_by_department},
    error::Result,
    input::{self, AtVersionInput},
    policy::{Action, Relation, RowTies},
    responsibility::waiting::{OpenProposals, STEPS_PER_PROPOSAL, load_leads},
};

/// Deactivates an account.
pub async fn deactivate(
    caller: &Caller,
    input: &AtVersionInput,
) -> Result<(account::Model, ReorganisationImpact)> {
    let mut permit = caller.open_permit_without_check().await?;
    let (row, changed) = deactivate_account(&mut permit, input).await?;
    if !changed {
        return Ok((row, ReorganisationImpact::default()));
    }
    // After the account is archived: the person is still counted as a lead there, by name, or nothing would be found
    // to depend on them.
    let impact = load_impact_without_person(caller, permit.tx(), row.id).await?;
    permit.commit().await?;
    Ok((row, impact))
}

/// What deactivating an account would change, as far as the caller may see it. It is asked over the departments
/// that the person belongs to.
pub async fn preview_deactivation(
    caller: &Caller,
    id: &ID,
) -> Result<Option<ReorganisationImpact>> {
    let id: AccountId = input::parse_id("id", id)?;
    let tx = caller.begin_snapshot().await?;
    let Some(row) = question::find_visible_row::<account::Entity>(caller, &tx, id).await? else {
        return Ok(None);
    };
    let belongs_to: Vec<DepartmentId> = membership::Entity::find()
        .select_only()
        .column(membership::Column::DepartmentId)
        .filter(membership::Column::AccountId.eq(id))
        .into_tuple()
        .all(&tx)
        .await?;
    let ties = RowTies::none().with_departments(Relation::IsIt, belongs_to);
    question::require_permitted::<account::Entity>(caller, Action::WhatIf, &ties, &row)?;
    if row.archived_at.is_some() {
        return Ok(Some(ReorganisationImpact::default()));
    }
    let impact = load_impact_without_person(caller, &tx, id).await?;
    let others = count_other_admins(&tx, id).await?;
    tx.commit().await?;
    let checks = [refuse_last_admin(&row, others)];
    impact.with_obstacles(checks).map(Some)
}

/// Steps of finding who leads one department, from all above it.
const LED: usize = 40;

/// What departments are without when somebody goes.
struct LeadershipGaps {
    /// The last lead of their own.
    own: Vec<DepartmentId>,
    /// Anybody who leads them, be it from above.
    at_all: Vec<DepartmentId>,
}

/// Who leads which departments.
struct DepartmentLeadership {
    /// The departments that are not archived.
    living: BTreeSet<DepartmentId>,
    parents: HashMap<DepartmentId, Option<DepartmentId>>,
    /// The leads of each department's own.
    own: BTreeMap<DepartmentId, BTreeSet<AccountId>>,
}

impl DepartmentLeadership {
    async fn load(caller: &Caller, tx: &Transaction, person: AccountId) -> Result<Self> {
        let living = caller
            .select::<department::Entity>()
            .select_only()
            .column(department::Column::Id)
            .filter(department::Column::ArchivedAt.is_null())
            .into_tuple::<DepartmentId>();
        let active = account::Entity::find()
            .select_only()
            .column(account::Column::Id)
            .filter(account::Column::ArchivedAt.is_null());
        let counted = Condition::any()
            .add(membership::Column::AccountId.eq(person))
            .add(membership::Column::AccountId.in_subquery(active.into_query()));
        let leads = caller
            .select::<membership::Entity>()
            .filter(membership::Column::Role.eq(DepartmentRole::Lead))
            .filter(counted)
            .all(tx)
            .await?;
        let mut own: BTreeMap<DepartmentId, BTreeSet<AccountId>> = BTreeMap::new();
        for lead in leads {
            let its = own.entry(lead.department_id).or_default();
            its.insert(lead.account_id);
        }
        Ok(Self {
            living: living.all(tx).await?.into_iter().collect(),
            parents: load_parent_by_department(tx).await?,
            own,
        })
    }

    fn find_gaps_without_person(&self, person: AccountId) -> LeadershipGaps {
        let led_by = |department: &DepartmentId| {
            let leads = || self.own.get(department).into_iter().flatten();
            (
                leads().any(|lead| *lead == person),
                leads().any(|lead| *lead != person),
            )
        };
        let living = self.living.iter().copied();
        let own = living.clone().filter(|id| led_by(id) == (true, false));
        let at_all = living.filter(|id| {
            let (mut person, mut others) = (false, false);
            for department in ancestors_and_self(&self.parents, *id) {
                let (here, beside) = led_by(&department);
                person |= here;
                others |= beside;
            }
            person && !others
        });
        LeadershipGaps {
            own: own.collect(),
            at_all: at_all.collect(),
        }
    }
}

async fn load_impact_without_person(
    caller: &Caller,
    tx: &Transaction,
    person: AccountId,
) -> Result<ReorganisationImpact> {
    let led = DepartmentLeadership::load(caller, tx, person).await?;
    let left = move |steps: &WorkBudget| {
        steps.spend(LED * led.living.len())?;
        Ok(led.find_gaps_without_person(person))
    };
    let unled = caller.run_on_compute_pool(left).await?;
    let named = Condition::all()
        .add(scope::open_responsibility_condition())
        .add(responsibility::Column::PersonId.eq(person));
    let responsibilities = async |which: Condition| -> Result<Vec<ResponsibilityId>> {
        let ids = caller
            .select::<responsibility::Entity>()
            .select_only()
            .column(responsibility::Column::Id)
            .filter(which)
            .into_tuple();
        Ok(ids.all(tx).await?)
    };
    let blueprints = caller
        .select::<blueprint::Entity>()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::OwnerDepartmentId.is_in(unled.at_all.iter().copied()))
        .filter(blueprint::Column::ArchivedAt.is_null());
    let waiting = OpenProposals::load(caller, tx).await?;
    let leads = load_leads(tx, Some(person)).await?;
    let resting = move |steps: &WorkBudget| {
        // Twice, as the rules are asked with the person and without.
        steps.spend(2 * STEPS_PER_PROPOSAL * waiting.len())?;
        Ok(waiting.answerable_only_by_condition(person, &leads))
    };
    let resting = caller.run_on_compute_pool(resting).await?;
    Ok(ReorganisationImpact {
        person_of: responsibilities(named).await?,
        proposals_unanswerable: responsibilities(resting).await?,
        blueprints_unled: blueprints.into_tuple().all(tx).await?,
        departments_without_own_lead: unled.own,
        departments_unled: unled.at_all,
        ..ReorganisationImpact::default()
    })
}
