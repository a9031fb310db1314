//! Lists of what waits for an answer. They are made by the rules of `parties` themselves, so that a list and the answer
//! never disagree; SQL only gathers what the rules need.

use std::collections::{BTreeSet, HashMap};

use entity::{
    account, blueprint,
    id::{AccountId, BlueprintId, DepartmentId, ResponsibilityId, TouchpointId},
    membership, responsibility,
    words::{DepartmentRole, ResponsibilityStatus},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

use super::{
    in_force::accountable_condition,
    parties::{ActingPerson, LeadsByDepartment, Parents, Proposal, Proposer},
};
use crate::{access::Caller, department::load_parent_by_department, error::Result};

/// Steps of asking the rules about one proposal.
pub const STEPS_PER_PROPOSAL: usize = 40;

/// Proposals that a list leads to at the most, the oldest first: a statement takes no more parameters than that.
const MOST: usize = 20_000;

/// What the rules need to know of a proposal, given who is accountable at its touchpoint and who owns its blueprint.
#[must_use]
pub fn build_proposal(
    row: &responsibility::Model,
    holder: Option<DepartmentId>,
    owner: DepartmentId,
) -> Proposal {
    Proposal {
        addressed: row.department_id,
        role: row.role,
        proposer: Proposer {
            account: row.proposed_by_account_id,
            on_behalf_of: row.proposed_by_department_id,
            seat: row.proposed_from_department_id,
        },
        holder,
        owner,
        handed_over: row.handed_over_at.is_some(),
    }
}

/// The open proposals that somebody may read, with all that the rules need.
#[derive(Debug)]
pub struct OpenProposals {
    parents: Parents,
    open: Vec<(ResponsibilityId, Proposal)>,
}

impl OpenProposals {
    /// Reads it: three statements, however many proposals there are, and one for the tree.
    pub async fn load<C: ConnectionTrait>(caller: &Caller, db: &C) -> Result<Self> {
        let rows = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed))
            .order_by_asc(responsibility::Column::CreatedAt)
            .order_by_asc(responsibility::Column::Id)
            .all(db)
            .await?;
        // For all at once: asked for each proposal, a list would cost a statement a row.
        let holders = load_accountable_where_proposed(db).await?;
        let owners = load_owners_where_proposed(db).await?;
        let open = rows.iter().filter_map(|row| {
            let holder = holders.get(&row.touchpoint_id).copied();
            let owner = owners.get(&row.blueprint_id).copied()?;
            Some((row.id, build_proposal(row, holder, owner)))
        });
        Ok(Self {
            open: open.collect(),
            parents: load_parent_by_department(db).await?,
        })
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn matching_proposals_condition(&self, wanted: impl Fn(&Proposal) -> bool) -> Condition {
        let open = self.open.iter().filter(|(_, proposal)| wanted(proposal));
        let ids: Vec<ResponsibilityId> = open.map(|(id, _)| *id).take(MOST).collect();
        Condition::all().add(responsibility::Column::Id.is_in(ids))
    }

    /// Those that a lead of one of these departments may answer now and no lead of a nearer one.
    #[must_use]
    pub fn answerable_by_departments_condition(&self, departments: &[DepartmentId]) -> Condition {
        let departments: BTreeSet<DepartmentId> = departments.iter().copied().collect();
        self.matching_proposals_condition(|proposal| {
            !proposal
                .nearest_answering_departments(&self.parents)
                .is_disjoint(&departments)
        })
    }

    /// Those that this person may answer now.
    #[must_use]
    pub fn answerable_by_person_condition(&self, person: &ActingPerson) -> Condition {
        self.matching_proposals_condition(|proposal| {
            proposal
                .determine_consent_effect(person, &self.parents)
                .is_ok()
        })
    }

    /// Those that no lead may answer now: CX managers do, or the department gets a lead.
    #[must_use]
    pub fn unanswerable_by_leads_condition(&self, leads: &LeadsByDepartment) -> Condition {
        self.matching_proposals_condition(|proposal| {
            !proposal.has_answering_lead(leads, &self.parents)
        })
    }

    /// Those that nobody but CX managers could answer any more without this person.
    #[must_use]
    pub fn answerable_only_by_condition(
        &self,
        person: AccountId,
        leads: &LeadsByDepartment,
    ) -> Condition {
        let others = leads.iter().map(|(department, accounts)| {
            let others = accounts.iter().copied().filter(|other| *other != person);
            (*department, others.collect::<BTreeSet<_>>())
        });
        let others: LeadsByDepartment = others.collect();
        self.matching_proposals_condition(|proposal| {
            proposal.has_answering_lead(leads, &self.parents)
                && !proposal.has_answering_lead(&others, &self.parents)
        })
    }
}

/// Who is accountable, at the touchpoints where anything is proposed.
async fn load_accountable_where_proposed<C: ConnectionTrait>(
    db: &C,
) -> Result<HashMap<TouchpointId, DepartmentId>> {
    let pairs: Vec<(TouchpointId, DepartmentId)> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .column(responsibility::Column::DepartmentId)
        .filter(accountable_condition())
        .filter(
            responsibility::Column::TouchpointId.in_subquery(select_column_of_proposals(
                responsibility::Column::TouchpointId,
            )),
        )
        .into_tuple()
        .all(db)
        .await?;
    Ok(pairs.into_iter().collect())
}

/// The owners of the blueprints in which anything is proposed.
async fn load_owners_where_proposed<C: ConnectionTrait>(
    db: &C,
) -> Result<HashMap<BlueprintId, DepartmentId>> {
    let pairs: Vec<(BlueprintId, DepartmentId)> = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .column(blueprint::Column::OwnerDepartmentId)
        .filter(
            blueprint::Column::Id.in_subquery(select_column_of_proposals(
                responsibility::Column::BlueprintId,
            )),
        )
        .into_tuple()
        .all(db)
        .await?;
    Ok(pairs.into_iter().collect())
}

fn select_column_of_proposals(
    column: responsibility::Column,
) -> sea_orm::sea_query::SelectStatement {
    responsibility::Entity::find()
        .select_only()
        .column(column)
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed))
        .into_query()
}

/// The LEAD memberships of accounts that are active, and of one that may be so no longer.
pub async fn load_leads<C: ConnectionTrait>(
    db: &C,
    besides: Option<AccountId>,
) -> Result<LeadsByDepartment> {
    let active = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::ArchivedAt.is_null());
    let pairs: Vec<(DepartmentId, AccountId)> = membership::Entity::find()
        .select_only()
        .column(membership::Column::DepartmentId)
        .column(membership::Column::AccountId)
        .filter(membership::Column::Role.eq(DepartmentRole::Lead))
        .filter(
            Condition::any()
                .add_option(besides.map(|account| membership::Column::AccountId.eq(account)))
                .add(membership::Column::AccountId.in_subquery(active.into_query())),
        )
        .into_tuple()
        .all(db)
        .await?;
    let mut leads = LeadsByDepartment::new();
    for (department, lead) in pairs {
        leads.entry(department).or_default().insert(lead);
    }
    Ok(leads)
}
