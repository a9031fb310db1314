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
    ResponsibilityProposeInput, ResponsibilityUpdateInput,
    answer::{self, Accepted, ResponsibilityAcceptInput, ResponsibilityDeclineInput},
    in_force::held_at_end_of,
    waiting::{OpenProposals, RULED, leads},
};
use crate::{
    canvas::Canvas,
    compute::Steps,
    error::{Error, Reason, Result, UserError},
    input::{self, AtVersionInput},
    page::{self, Page, Pages},
    payload,
    payload::{acting, caller, found},
    scalar::Date,
};

/// What a department answers for at a touchpoint.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Responsibility {
    /// Its id.
    pub id: ID,
    /// The role.
    pub role: Role,
    /// Where the handshake stands.
    pub status: ResponsibilityStatus,
    /// What the department does here.
    pub tasks: Vec<String>,
    /// The proposer's word to those who answer.
    pub note: Option<String>,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// Why it was declined or ended. TAKEN: another department became accountable; WITHDRAWN: taken back;
    /// ARCHIVED: the touchpoint was archived; SUSPENDED: it was in force when the touchpoint was archived, and resumes
    /// where that comes back; DEPARTMENT_ARCHIVED: the department was, and nobody took over.
    pub reason: Option<String>,
    /// When it was answered, or confirmed.
    pub decided_at: Option<DateTime<Utc>>,
    /// In force since; null means since ever, once it is accepted.
    pub valid_from: Option<DateTime<Utc>>,
    /// In force until, this moment left out.
    pub valid_to: Option<DateTime<Utc>>,
    /// When whoever was accountable agreed to hand over; the department addressed answers after that.
    pub handed_over_at: Option<DateTime<Utc>>,
    /// An import gave it to the department without asking; so until a lead of the department confirms or ends it.
    pub unasked: bool,
    /// Counts its changes; send it as `expectedVersion`.
    pub version: i32,
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
            row,
            canvas: None,
        }
    }
}

impl Responsibility {
    /// A responsibility as a part of its blueprint.
    #[must_use]
    pub fn within(row: &responsibility::Model, canvas: &Arc<Canvas>) -> Self {
        Self {
            canvas: Some(Arc::clone(canvas)),
            ..row.clone().into()
        }
    }
}

/// Which responsibilities to list.
#[derive(Default, InputObject)]
pub struct ResponsibilityFilter {
    /// In this blueprint.
    pub blueprint_id: Option<ID>,
    /// Of this department.
    pub department_id: Option<ID>,
    /// With one of these roles.
    pub roles: Option<Vec<Role>>,
    /// With one of these statuses; PROPOSED and ACCEPTED where nothing is said.
    pub statuses: Option<Vec<ResponsibilityStatus>>,
    /// With this account as the person who does it.
    pub person_id: Option<ID>,
    /// Given to the department without asking and not confirmed yet, or not so.
    pub unasked: Option<bool>,
    /// Only proposals that no lead may answer yet (`awaits { noLeadYet }`).
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
        found(async {
            caller(ctx)?
                .get::<responsibility::Entity>(input::id("id", &id)?)
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
    ) -> Result<Pages<Responsibility>> {
        let caller = caller(ctx)?;
        let filter = filter.unwrap_or_default();
        let open = vec![
            ResponsibilityStatus::Proposed,
            ResponsibilityStatus::Accepted,
        ];
        let mut all = Condition::all()
            .add(responsibility::Column::Status.is_in(filter.statuses.unwrap_or(open)));
        if let Some(id) = &filter.blueprint_id {
            let blueprint: BlueprintId = input::id("filter.blueprintId", id)?;
            all = all.add(responsibility::Column::BlueprintId.eq(blueprint));
        }
        if let Some(id) = &filter.department_id {
            let department: DepartmentId = input::id("filter.departmentId", id)?;
            all = all.add(responsibility::Column::DepartmentId.eq(department));
        }
        if let Some(roles) = filter.roles {
            all = all.add(responsibility::Column::Role.is_in(roles));
        }
        if let Some(id) = &filter.person_id {
            let person: AccountId = input::id("filter.personId", id)?;
            all = all.add(responsibility::Column::PersonId.eq(person));
        }
        if let Some(unasked) = filter.unasked {
            all = all.add(responsibility::Column::Unasked.eq(unasked));
        }
        if filter.no_lead_yet {
            let leads = leads(caller.reader(), None).await?;
            let waiting = OpenProposals::read(caller, caller.reader()).await?;
            let without = move |steps: &Steps| {
                steps.take(RULED * waiting.len())?;
                Ok(waiting.without_lead(&leads))
            };
            all = all.add(caller.compute(without).await?);
        }
        let select = caller.select::<responsibility::Entity>().filter(all);
        page::by_creation(ctx, select, Page { first, after }, Responsibility::from).await
    }

    /// Who answered for what at a touchpoint: what held at the end of a day with `asOf`, everything that was ever
    /// proposed without it. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibility_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint's id.")] touchpoint_id: ID,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<Pages<Responsibility>> {
        let caller = caller(ctx)?;
        let touchpoint: TouchpointId = input::id("touchpointId", &touchpoint_id)?;
        let held = as_of.map(|day| held_at_end_of(caller, day.0));
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::TouchpointId.eq(touchpoint))
            .filter(Condition::all().add_option(held));
        page::by_creation(ctx, select, Page { first, after }, Responsibility::from).await
    }
}

payload! {
    /// What became of a mutation on a responsibility.
    ResponsibilityPayload {
        /// The responsibility as it is now.
        responsibility: Responsibility of responsibility::Entity
    }
}

/// What became of accepting.
#[derive(SimpleObject)]
pub struct ResponsibilityAcceptPayload {
    /// The responsibility as it is now.
    pub responsibility: Option<Responsibility>,
    /// The responsibility that it replaced.
    pub ended: Option<Responsibility>,
    /// Where another department is accountable now (reason ACCOUNTABLE_TAKEN): that responsibility.
    pub holder: Option<Responsibility>,
    /// Why it was not done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Changing responsibilities.
#[derive(Default)]
pub struct ResponsibilityMutation;

#[Object]
impl ResponsibilityMutation {
    /// Offers a role to a department. Requires: PROPOSE_RESPONSIBILITY.
    async fn responsibility_propose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The touchpoint, the department and the role to propose.")]
        input: ResponsibilityProposeInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, super::propose(&caller, input).await).await
    }

    /// Says yes: the role is held from now on, whom it replaces is ended, and other proposals of ACCOUNTABLE are
    /// declined. Nobody takes responsibility alone: what a department proposes for itself is answered by another
    /// party, of the accountable department, or where there is none of the owner of the blueprint; what another party
    /// proposes by the department addressed; `awaits` says which. Over a holder who did not propose it, the holder's
    /// yes hands over, and the department addressed is asked next. Requires: ACCEPT_RESPONSIBILITY.
    async fn responsibility_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proposal, and the version that you read.")]
        input: ResponsibilityAcceptInput,
    ) -> Result<ResponsibilityAcceptPayload> {
        let caller = acting(ctx)?;
        match answer::accept(&caller, &input).await {
            Ok(Accepted {
                responsibility,
                ended,
            }) => Ok(ResponsibilityAcceptPayload {
                responsibility: Some(responsibility.into()),
                ended: ended.map(Responsibility::from),
                holder: None,
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let taken = is_taken(&error);
                let refused = ResponsibilityPayload::answer(&caller, Err(error)).await?;
                let holder = match &refused.responsibility {
                    Some(proposal) if taken => holder(&caller, proposal.row.touchpoint_id).await?,
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

    /// Says no. Requires: DECLINE_RESPONSIBILITY.
    async fn responsibility_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proposal, the version that you read, and a reason.")]
        input: ResponsibilityDeclineInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, answer::decline(&caller, input).await).await
    }

    /// Takes back a proposal. Requires: WITHDRAW_RESPONSIBILITY.
    async fn responsibility_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, answer::withdraw(&caller, &input).await).await
    }

    /// Ends what is in force; ACCOUNTABLE on a published blueprint ends by takeover or by a CX manager only.
    /// Requires: END_RESPONSIBILITY.
    async fn responsibility_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The responsibility, the version that you read, and a reason.")]
        input: ResponsibilityDeclineInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, answer::end(&caller, input).await).await
    }

    /// Confirms what an import gave the department without asking: it stays in force, and is listed no longer. For a
    /// lead of the department, or from above. Requires: ACCEPT_RESPONSIBILITY.
    async fn responsibility_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, answer::confirm(&caller, &input).await).await
    }

    /// Says the tasks and the person, one of the department's own people. Requires: DESCRIBE_RESPONSIBILITY.
    async fn responsibility_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: ResponsibilityUpdateInput,
    ) -> Result<ResponsibilityPayload> {
        let caller = acting(ctx)?;
        ResponsibilityPayload::answer(&caller, super::update(&caller, input).await).await
    }
}

fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Conflict { error, .. } if error.reason == Some(Reason::AccountableTaken))
}

async fn holder(
    caller: &crate::access::Caller,
    touchpoint: TouchpointId,
) -> Result<Option<Responsibility>> {
    let holder = caller
        .select::<responsibility::Entity>()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(responsibility::Column::Role.eq(Role::Accountable))
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .one(caller.reader())
        .await?;
    Ok(holder.map(Responsibility::from))
}
