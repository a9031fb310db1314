//! Responsibilities in the API: the handshake, and its history.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    id::{AccountId, BlueprintId, DepartmentId, TouchpointId},
    responsibility,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{
    ResponsibilitiesProposeInput, ResponsibilityProposeInput, ResponsibilityUpdateInput,
    answer::{
        self, AcceptOutcome, ResponsibilitiesAcceptInput, ResponsibilityAcceptInput,
        ResponsibilityDeclineInput,
    },
    in_force::{accountable_condition, in_force_at_day_end_condition},
    waiting::{OpenProposals, STEPS_PER_PROPOSAL, load_leads},
};
use crate::{
    account::authorship::Authorship,
    canvas::Canvas,
    compute::WorkBudget,
    error::{Error, Reason, Result, UserError},
    input::{self, AtVersionInput, MOST_AT_ONCE},
    meter::{self, BudgetChargedList},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, done_or_refused, into_node, load_conflicts_and_errors, mutation_caller},
    scalar::Date,
};

/// A role that a department holds, is offered or held at a touchpoint.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Responsibility {
    /// The object's id.
    pub id: ID,
    /// The role.
    pub role: Role,
    /// The state of the handshake.
    pub status: ResponsibilityStatus,
    /// The department's tasks here.
    pub tasks: Vec<String>,
    /// The proposer's note to those who answer.
    pub note: Option<String>,
    /// Time of the proposal.
    pub proposed_at: DateTime<Utc>,
    /// The reason why it was declined or ended: a text, or one of these words. TAKEN: another department became
    /// accountable; WITHDRAWN: the proposal was withdrawn; ARCHIVED: the touchpoint was archived; SUSPENDED: it was in
    /// force when the touchpoint was archived, and resumes if the touchpoint is unarchived; DEPARTMENT_ARCHIVED: the
    /// department was archived, without a successor for it.
    pub reason: Option<String>,
    /// Time of the answer or confirmation.
    pub decided_at: Option<DateTime<Utc>>,
    /// In force from this moment (included); null for no beginning, or while it was never accepted.
    pub valid_from: Option<DateTime<Utc>>,
    /// In force until this moment (excluded); null for no end.
    pub valid_to: Option<DateTime<Utc>>,
    /// Time at which the accountable department agreed to hand over; after that the addressed department answers.
    pub handed_over_at: Option<DateTime<Utc>>,
    /// Whether an import put it in force without asking the department, and no lead of the department has confirmed it
    /// yet.
    pub unasked: bool,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: responsibility::Model,
    /// The blueprint that it was read as a part of.
    #[graphql(skip)]
    pub canvas: Option<Arc<Canvas>>,
}

impl From<responsibility::Model> for Responsibility {
    fn from(row: responsibility::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            role: row.role,
            status: row.status,
            tasks: row.tasks.0.clone(),
            note: row.note.clone(),
            proposed_at: row.proposed_at,
            reason: row.reason.clone(),
            decided_at: row.decided_at,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            handed_over_at: row.handed_over_at,
            unasked: row.unasked,
            version: row.version,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
            canvas: None,
        }
    }
}

impl Responsibility {
    /// A responsibility as a part of its blueprint.
    #[must_use]
    pub fn from_canvas(row: &responsibility::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// Conditions on the responsibilities to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct ResponsibilityFilter {
    /// Only in this blueprint.
    pub blueprint_id: Option<ID>,
    /// Only of this department.
    pub department_id: Option<ID>,
    /// Only with one of these roles.
    pub roles: Option<Vec<Role>>,
    /// Only with one of these statuses; PROPOSED and ACCEPTED if absent.
    pub statuses: Option<Vec<ResponsibilityStatus>>,
    /// Only those that name this account as the person who does it.
    pub person_id: Option<ID>,
    /// True: only those put in force without asking and not confirmed yet; false: only the others.
    pub unasked: Option<bool>,
    /// True: only proposals that no lead may answer yet (`awaits { noLeadYet }`).
    #[graphql(default)]
    pub no_lead_yet: bool,
}

/// Reading responsibilities.
#[derive(Default)]
pub struct ResponsibilityQuery;

#[Object]
impl ResponsibilityQuery {
    /// A responsibility by id.
    async fn responsibility(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Responsibility>> {
        into_node(async {
            caller(ctx)?
                .get::<responsibility::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }

    /// Responsibilities, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<ResponsibilityFilter>,
    ) -> Result<ObjectPage<Responsibility>> {
        let caller = caller(ctx)?;
        let filter = filter.unwrap_or_default();
        let open = vec![
            ResponsibilityStatus::Proposed,
            ResponsibilityStatus::Accepted,
        ];
        let mut all = Condition::all()
            .add(responsibility::Column::Status.is_in(filter.statuses.unwrap_or(open)));
        if let Some(id) = &filter.blueprint_id {
            let blueprint: BlueprintId = input::parse_id("filter.blueprintId", id)?;
            all = all.add(responsibility::Column::BlueprintId.eq(blueprint));
        }
        if let Some(id) = &filter.department_id {
            let department: DepartmentId = input::parse_id("filter.departmentId", id)?;
            all = all.add(responsibility::Column::DepartmentId.eq(department));
        }
        if let Some(roles) = filter.roles {
            all = all.add(responsibility::Column::Role.is_in(roles));
        }
        if let Some(id) = &filter.person_id {
            let person: AccountId = input::parse_id("filter.personId", id)?;
            all = all.add(responsibility::Column::PersonId.eq(person));
        }
        if let Some(unasked) = filter.unasked {
            all = all.add(responsibility::Column::Unasked.eq(unasked));
        }
        if filter.no_lead_yet {
            // By the rules in memory and not in SQL: seats, parties and the tree are one law, of which a second
            // spelling would differ some day.
            let leads = load_leads(caller.connection(), None).await?;
            let waiting = OpenProposals::load(caller, caller.connection()).await?;
            let without = move |steps: &WorkBudget| {
                steps.spend(STEPS_PER_PROPOSAL * waiting.len())?;
                Ok(waiting.unanswerable_by_leads_condition(&leads))
            };
            all = all.add(caller.run_on_compute_pool(without).await?);
        }
        let select = caller.select::<responsibility::Entity>().filter(all);
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Responsibility::from,
        )
        .await
    }

    /// The responsibilities at a touchpoint: those in force at the end of the day `asOf`, or, without it, all that were
    /// ever proposed. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibility_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint's id.")] touchpoint_id: ID,
        #[graphql(desc = "The day; absent: all days, with everything ever proposed.")]
        as_of: Option<Date>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Responsibility>> {
        let caller = caller(ctx)?;
        let touchpoint: TouchpointId = input::parse_id("touchpointId", &touchpoint_id)?;
        let held = match as_of {
            None => None,
            Some(_) => {
                let day = caller.day_or_today(as_of)?;
                Some(in_force_at_day_end_condition(caller, day))
            }
        };
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::TouchpointId.eq(touchpoint))
            .filter(Condition::all().add_option(held));
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Responsibility::from,
        )
        .await
    }
}

payload! {
    /// Result of a mutation on a responsibility.
    ResponsibilityPayload {
        /// The responsibility as it is now.
        responsibility: Responsibility of responsibility::Entity
    }
}

/// Result of accepting a proposal.
#[derive(SimpleObject)]
pub struct ResponsibilityAcceptPayload {
    /// The responsibility as it is now.
    pub responsibility: Option<Responsibility>,
    /// The responsibility that it replaced.
    pub ended: Option<Responsibility>,
    /// With the reason ACCOUNTABLE_TAKEN: the responsibility of the department that is accountable now.
    pub holder: Option<Responsibility>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Result of proposing several roles.
#[derive(SimpleObject)]
pub struct ResponsibilitiesProposePayload {
    /// The proposals, in the order of the input; empty where nothing was done.
    pub responsibilities: Option<BudgetChargedList<Responsibility>>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Result of accepting several proposals.
#[derive(SimpleObject)]
pub struct ResponsibilitiesAcceptPayload {
    /// The responsibilities as they are now, in the order of the input; where nothing was done, those in conflict.
    pub responsibilities: Option<BudgetChargedList<Responsibility>>,
    /// The responsibilities that they replaced.
    pub ended: Option<BudgetChargedList<Responsibility>>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Changing responsibilities.
#[derive(Default)]
pub struct ResponsibilityMutation;

#[Object]
impl ResponsibilityMutation {
    /// Proposes a role at a touchpoint for a department. Requires: PROPOSE_RESPONSIBILITY.
    async fn responsibility_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint, the department and the role to propose.")]
        input: ResponsibilityProposeInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, super::propose(&caller, input).await).await
    }

    /// Proposes up to 200 roles in one act: all of them, or none. Requires: PROPOSE_RESPONSIBILITY.
    #[graphql(
        complexity = "input.proposals.len().min(MOST_AT_ONCE).saturating_mul(child_complexity)"
    )]
    async fn responsibilities_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoints, departments and roles to propose.")]
        input: ResponsibilitiesProposeInput,
    ) -> Result<ResponsibilitiesProposePayload> {
        let caller = mutation_caller(ctx)?;
        let proposed = super::propose_many(&caller, input).await;
        let (rows, user_errors) = done_or_refused(&caller, proposed).await?;
        Ok(ResponsibilitiesProposePayload {
            responsibilities: Some(meter::metered_list(rows)),
            user_errors,
        })
    }

    /// Accepts up to 200 proposals in one act, in the order of the list: all of them, or none. What accepting one does
    /// is said at `responsibilityAccept`. Requires: ACCEPT_RESPONSIBILITY.
    #[graphql(
        complexity = "input.proposals.len().min(MOST_AT_ONCE).saturating_mul(child_complexity)"
    )]
    async fn responsibilities_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proposals, and the versions that you read.")]
        input: ResponsibilitiesAcceptInput,
    ) -> Result<ResponsibilitiesAcceptPayload> {
        let caller = mutation_caller(ctx)?;
        let (rows, ended, user_errors) = match answer::accept_many(&caller, input).await {
            Ok(outcomes) => {
                let outcomes = outcomes.into_iter();
                let (rows, ended): (Vec<_>, Vec<_>) = outcomes
                    .map(|done| (done.responsibility, done.ended))
                    .unzip();
                (rows, ended, Vec::new())
            }
            Err(error) => {
                let (current, errors) =
                    load_conflicts_and_errors::<responsibility::Entity>(&caller, error).await?;
                (current, Vec::new(), errors)
            }
        };
        Ok(ResponsibilitiesAcceptPayload {
            responsibilities: Some(meter::metered_list(rows)),
            ended: Some(meter::metered_list(ended.into_iter().flatten())),
            user_errors,
        })
    }

    /// Accepts a proposal: the role is held from now on, the responsibility that it replaces ends, and for ACCOUNTABLE
    /// all other such proposals are declined. Nobody takes responsibility alone. What a department proposes for itself
    /// is answered by another party: the accountable department or, if there is none, the owner of the blueprint. What
    /// another party proposes is answered by the department addressed. `awaits` names who may answer. If another
    /// department is accountable and did not make the proposal, its acceptance hands over, and the department addressed
    /// is asked next. Requires: ACCEPT_RESPONSIBILITY.
    async fn responsibility_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proposal, and the version that you read.")]
        input: ResponsibilityAcceptInput,
    ) -> Result<ResponsibilityAcceptPayload> {
        let caller = mutation_caller(ctx)?;
        match answer::accept(&caller, &input).await {
            Ok(AcceptOutcome {
                responsibility,
                ended,
            }) => Ok(ResponsibilityAcceptPayload {
                responsibility: Some(responsibility.into()),
                ended: ended.map(Responsibility::from),
                holder: None,
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let taken = is_accountable_taken_error(&error);
                let refused = ResponsibilityPayload::from_result(&caller, Err(error)).await?;
                // Read after the refusal, so that it is who is accountable now.
                let holder = match &refused.responsibility {
                    Some(proposal) if taken => {
                        find_accountable_for_caller(&caller, proposal.row.touchpoint_id).await?
                    }
                    _ => None,
                };
                let (responsibility, user_errors) = (refused.responsibility, refused.user_errors);
                Ok(ResponsibilityAcceptPayload {
                    responsibility,
                    ended: None,
                    holder,
                    user_errors,
                })
            }
        }
    }

    /// Declines a proposal. Requires: DECLINE_RESPONSIBILITY.
    async fn responsibility_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proposal, the version that you read, and a reason.")]
        input: ResponsibilityDeclineInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, answer::decline(&caller, input).await).await
    }

    /// Withdraws a proposal. Requires: WITHDRAW_RESPONSIBILITY.
    async fn responsibility_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, answer::withdraw(&caller, &input).await).await
    }

    /// Ends a responsibility in force. ACCOUNTABLE on a published blueprint ends only by takeover or by a CX manager.
    /// Requires: END_RESPONSIBILITY.
    async fn responsibility_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The responsibility, the version that you read, and a reason.")]
        input: ResponsibilityDeclineInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, answer::end(&caller, input).await).await
    }

    /// Confirms a responsibility that an import put in force without asking: it stays in force and leaves
    /// `Department.givenUnasked`. For leads of the department or of one above it. Requires: ACCEPT_RESPONSIBILITY.
    async fn responsibility_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, answer::confirm(&caller, &input).await).await
    }

    /// Changes a responsibility's tasks and person; the person is a member of the department. Requires:
    /// DESCRIBE_RESPONSIBILITY.
    async fn responsibility_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: ResponsibilityUpdateInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = mutation_caller(ctx)?;
        ResponsibilityPayload::from_result(&caller, super::update(&caller, input).await).await
    }
}

fn is_accountable_taken_error(error: &Error) -> bool {
    match error {
        Error::Conflict { errors, .. } => {
            let mut reasons = errors.iter().map(|error| error.reason);
            reasons.any(|reason| reason == Some(Reason::AccountableTaken))
        }
        _ => false,
    }
}

async fn find_accountable_for_caller(
    caller: &crate::access::Caller,
    touchpoint: TouchpointId,
) -> Result<Option<Responsibility>> {
    let holder = caller
        .select::<responsibility::Entity>()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(accountable_condition())
        .one(caller.connection())
        .await?;
    Ok(holder.map(Responsibility::from))
}
