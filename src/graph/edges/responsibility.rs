//! The edges of responsibilities: what a handshake is about, who is in it, and who may answer it now.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};
use entity::{
    blueprint,
    id::{AccountId, DepartmentId},
    responsibility,
    words::ResponsibilityStatus,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::super::{
    loaders::{DepartmentLeads, DepartmentParents, ReadableOpenProposals, ResponsibilitiesAt},
    permissions,
};
use crate::{
    account::graphql::Account,
    batch::{load, load_many},
    canvas::find_accountable_responsibility,
    compute::WorkBudget,
    department::graphql::Department,
    error::{Error, Result},
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node},
    policy::Action,
    responsibility::{
        answer::caller_as_acting_person,
        graphql::Responsibility,
        parties::{Parents, Proposal},
        waiting::{OpenProposals, STEPS_PER_PROPOSAL, build_proposal},
    },
    touchpoint::graphql::Touchpoint,
};

/// The parties that may answer a proposal now.
#[derive(SimpleObject)]
pub(super) struct ResponsibilityAwaits {
    /// The departments whose leads may answer; of several in one line of the tree, the nearest. Leads of departments
    /// above them may answer too if they are another party, and so may a CX manager without a LEAD membership at or
    /// above the addressed department. The account that proposed never answers.
    pub departments: Vec<Department>,
    /// Whether the accountable department answers first: its acceptance hands over, and the addressed department is
    /// asked next.
    pub holder_first: bool,
    /// Whether no account leads any of them yet: then CX managers answer, until a department gets a lead.
    pub no_lead_yet: bool,
}

async fn load_department_tree(ctx: &Context<'_>) -> Result<Arc<Parents>> {
    Ok(load(ctx, DepartmentParents).await?.unwrap_or_default())
}

/// The condition on open proposals that a rule picks, of all that the caller may read.
pub(super) async fn open_proposals_condition(
    ctx: &Context<'_>,
    rule: impl FnOnce(&OpenProposals) -> Condition + Send + 'static,
) -> Result<Condition> {
    let open = load(ctx, ReadableOpenProposals).await?;
    let open = open.ok_or_else(|| Error::internal("what waits was not read"))?;
    let pick = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_PROPOSAL * open.len())?;
        Ok(rule(&open))
    };
    caller(ctx)?.run_on_compute_pool(pick).await
}

/// A page of the responsibilities that the caller may see and that fulfil a condition, in the order of creation.
pub(super) async fn page_of_responsibilities(
    ctx: &Context<'_>,
    which: Condition,
    page: PageArguments,
) -> Result<ObjectPage<Responsibility>> {
    let caller = caller(ctx)?;
    let select = caller.select::<responsibility::Entity>().filter(which);
    page::page_oldest_first(ctx, select, page, Responsibility::from).await
}

/// A page of what the caller may answer now.
pub(super) async fn page_answerable_by_viewer(
    ctx: &Context<'_>,
    page: PageArguments,
) -> Result<ObjectPage<Responsibility>> {
    let caller = caller(ctx)?;
    let nothing = caller.reach(Action::AcceptResponsibility).is_nothing();
    let which = if nothing {
        Condition::any()
            .add(responsibility::Column::Id.is_in(Vec::<entity::id::ResponsibilityId>::new()))
    } else {
        let person = caller_as_acting_person(caller);
        open_proposals_condition(ctx, move |open| {
            open.answerable_by_person_condition(&person)
        })
        .await?
    };
    page_of_responsibilities(ctx, which, page).await
}

/// A page of what these departments hold and were not asked for.
pub(super) async fn page_of_given_unasked(
    ctx: &Context<'_>,
    of: Vec<DepartmentId>,
    page: PageArguments,
) -> Result<ObjectPage<Responsibility>> {
    let which = Condition::all()
        .add(responsibility::Column::DepartmentId.is_in(of))
        .add(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .add(responsibility::Column::Unasked.eq(true));
    page_of_responsibilities(ctx, which, page).await
}

/// A page of what a person is named for and is open.
pub(super) async fn page_naming_person(
    ctx: &Context<'_>,
    person: AccountId,
    page: PageArguments,
) -> Result<ObjectPage<Responsibility>> {
    let which = Condition::all()
        .add(responsibility::Column::PersonId.eq(person))
        .add(crate::access::scope::open_responsibility_condition());
    page_of_responsibilities(ctx, which, page).await
}

impl Responsibility {
    /// The blueprint that it is in, and who is accountable at its touchpoint now.
    async fn load_blueprint_and_accountable(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<(blueprint::Model, Option<responsibility::Model>)>> {
        if let Some(canvas) = &self.canvas {
            let holder = find_accountable_responsibility(
                canvas.responsibilities_of_touchpoint(self.row.touchpoint_id),
            );
            return Ok(Some((canvas.blueprint.clone(), holder.cloned())));
        }
        let Some(blueprint) = load(ctx, self.row.blueprint_id).await? else {
            return Ok(None);
        };
        let held = load(ctx, ResponsibilitiesAt(self.row.touchpoint_id)).await?;
        let held = held.unwrap_or_default();
        Ok(Some((
            blueprint,
            find_accountable_responsibility(&held).cloned(),
        )))
    }

    async fn load_proposal(&self, ctx: &Context<'_>) -> Result<Option<Proposal>> {
        let around = self.load_blueprint_and_accountable(ctx).await?;
        Ok(around.map(|(blueprint, holder)| {
            let holder = holder.map(|holder| holder.department_id);
            build_proposal(&self.row, holder, blueprint.owner_department_id)
        }))
    }

    async fn load_who_may_answer(&self, ctx: &Context<'_>) -> Result<Option<ResponsibilityAwaits>> {
        if self.row.status != ResponsibilityStatus::Proposed {
            return Ok(None);
        }
        let Some(proposal) = self.load_proposal(ctx).await? else {
            return Ok(None);
        };
        let parents = load_department_tree(ctx).await?;
        let leads = load(ctx, DepartmentLeads).await?.unwrap_or_default();
        let seats = proposal.nearest_answering_departments(&parents);
        let mut there = load_many(ctx, seats.iter().copied()).await?;
        let departments = seats.iter().filter_map(|seat| there.remove(seat));
        Ok(Some(ResponsibilityAwaits {
            departments: departments.map(Department::from).collect(),
            holder_first: proposal.waits_for_accountable(),
            no_lead_yet: !proposal.has_answering_lead(&leads, &parents),
        }))
    }
}

#[ComplexObject]
impl Responsibility {
    /// The permissions that you have on it now.
    #[graphql(complexity = 2)]
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let caller = caller(ctx)?;
        let Some((blueprint, holder)) = self.load_blueprint_and_accountable(ctx).await? else {
            return Ok(Vec::new());
        };
        // Who leads nothing sits nowhere in the tree.
        let parents = match caller.directly_led_departments().is_empty() {
            true => Arc::default(),
            false => load_department_tree(ctx).await?,
        };
        let at = (&blueprint, holder.as_ref());
        Ok(permissions::on_responsibility(
            caller, &self.row, at, &parents,
        ))
    }

    /// The parties that may answer it now; null unless it is PROPOSED.
    #[graphql(complexity = "5 + 3 * child_complexity")]
    async fn awaits(&self, ctx: &Context<'_>) -> Option<Result<ResponsibilityAwaits>> {
        into_node(self.load_who_may_answer(ctx)).await
    }

    /// The touchpoint.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        let id = self.row.touchpoint_id;
        match self
            .canvas
            .as_ref()
            .and_then(|canvas| Some((canvas, canvas.touchpoint(id)?)))
        {
            Some((canvas, row)) => Some(Ok(Touchpoint::from_canvas(row, canvas))),
            None => into_node(load(ctx, id)).await,
        }
    }

    /// The department that holds the role, held it, or is to hold it.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        let id = self.row.department_id;
        match self
            .canvas
            .as_ref()
            .and_then(|canvas| canvas.department(id))
        {
            Some(department) => Some(Ok(department.clone().into())),
            None => into_node(load(ctx, id)).await,
        }
    }

    /// The person who does it, a member of the department; null if none is named.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.person_id?)).await
    }

    /// The department that proposed it; null if a CX manager did.
    async fn proposed_by(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.proposed_by_department_id?)).await
    }

    /// The account that proposed it; null if it was imported with a document.
    async fn proposed_by_account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.proposed_by_account_id?)).await
    }

    /// The account that answered it, at `decidedAt`; null while it is open, and if it was imported with a document.
    async fn decided_by_account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.decided_by_account_id?)).await
    }

    /// The account that handed over, at `handedOverAt`.
    async fn handed_over_by_account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.handed_over_by_account_id?)).await
    }

    /// The responsibility that it replaces, or would replace.
    async fn replaces(&self, ctx: &Context<'_>) -> Option<Result<Responsibility>> {
        into_node(load(ctx, self.row.replaces_id?)).await
    }

    /// The suspended responsibility that it continues since the touchpoint was unarchived.
    async fn resumes(&self, ctx: &Context<'_>) -> Option<Result<Responsibility>> {
        into_node(load(ctx, self.row.resumes_id?)).await
    }
}
