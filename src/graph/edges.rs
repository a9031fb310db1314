//! The edges of the graph: fields that join two slices, or that answer from a whole blueprint in memory.

mod feedback;
mod handshake;
mod impact;
mod known;
mod kpi;
mod publication;
mod trend;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Json};
use entity::{
    department, follow_up,
    id::{DepartmentId, TouchpointId},
    improvement, membership, responsibility,
    words::{ImprovementState, KpiState, ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::SimpleExpr};

use self::trend::DepartmentScorecard;
use super::{
    audit::AuditEvent,
    drawn::Drawn,
    flow::Flow,
    lens::{self, LensCell},
    loaders::{
        AnsweredAt, AudienceOf, Below, ChannelsOf, DeliveredHere, HeldAt, ImprovementsIn, InPhase,
        JudgingPhase, JudgingTouchpoint, KnownAt, KnownIn, KnownOfPhase, LimitsOf, NeedsOf,
        PromisedAt, PromisesIn, ScenariosOf, SecondaryOf, SegmentsOf, SourcesIn, StepsOf, TriedAt,
        TriedIn,
    },
    permissions,
    picture::{self, PictureLink},
    view::{
        self as shown, Assumptions, BlueprintView, ContactPressure, CustomerView, StageAttention,
    },
};
use crate::{
    access::scope,
    account::{
        graphql::{Account, Session, Viewer, own_sessions},
        service_token::graphql::ServiceToken,
    },
    batch::{Key, load},
    blueprint::graphql::{Blueprint, Phase},
    canvas::{self, Canvas, view, whole},
    compute::{LOADED, SEARCH},
    department::graphql::{Department, Membership, departments, living_memberships, memberships},
    document::{blueprint::Document, table},
    error::{Error, Result},
    evaluation::graphql::Evaluation,
    feedback::{
        graphql::{FeedbackSummary, FollowUp},
        still_open,
    },
    finding::graphql::{self as finding, FindingFilter, Findings},
    improvement::graphql::Improvement,
    insight::graphql::{Insight, Source},
    judgement::JudgedLink,
    kpi::{
        graphql::{Kpi, KpiLink},
        of_department::{of_departments, scorecard},
    },
    meter::{self, Listed},
    page::{self, Page, Pages},
    payload::{caller, found},
    persona::graphql::{Channel, Persona, PersonaNeed, Segment},
    policy::Action,
    promise::graphql::Promise,
    responsibility::graphql::Responsibility,
    scalar::{Date, Theme},
    scenario::graphql::Scenario,
    sheet::Dialect,
    template::graphql::Template,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// What findings cost in the complexity of a document: a whole blueprint, what is around it, and the rules.
const FINDINGS: usize = 2 * whole::COST;

#[ComplexObject]
impl Viewer {
    /// Your roles in departments; those in archived departments give no rights and are left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Listed<Membership>> {
        Ok(meter::listed(
            living_memberships(caller(ctx)?, self.account.row.id).await?,
        ))
    }

    /// The devices on which you are signed in, in the order of signing in.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Session>> {
        own_sessions(ctx, Page { first, after }).await
    }

    /// The open proposals that you may answer now, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn awaiting_answer(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Responsibility>> {
        handshake::waiting_for_viewer(ctx, Page { first, after }).await
    }

    /// What you are named for as the person who does it, in force or proposed, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Responsibility>> {
        handshake::named(ctx, self.account.row.id, Page { first, after }).await
    }
}

#[ComplexObject]
impl Account {
    /// Its roles in departments, archived ones included, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn memberships(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Membership>> {
        let its = Condition::all().add(membership::Column::AccountId.eq(self.row.id));
        memberships(ctx, its, Page { first, after }).await
    }
}

#[ComplexObject]
impl ServiceToken {
    /// The account that it stands for.
    async fn account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.row.account_id)).await
    }

    /// The departments that it is limited to, with all below them; none where it is not limited.
    async fn departments(&self, ctx: &Context<'_>) -> Result<Listed<Department>> {
        let rows = load(ctx, LimitsOf(self.row.id)).await?.unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// Who made it; null where it was the command line.
    async fn made_by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.row.made_by_account_id?)).await
    }
}

#[ComplexObject]
impl Membership {
    /// Whose it is.
    async fn account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.row.account_id)).await
    }

    /// Where it is.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        found(load(ctx, self.row.department_id)).await
    }
}

impl Department {
    /// The department, and with `below` all below it.
    async fn reach(&self, ctx: &Context<'_>, below: Option<bool>) -> Result<Vec<DepartmentId>> {
        if below.unwrap_or_default() {
            let tree = load(ctx, Below(self.row.id)).await?.unwrap_or_default();
            return Ok(tree.to_vec());
        }
        Ok(vec![self.row.id])
    }
}

#[ComplexObject]
impl Department {
    /// What you may do in it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_department(caller(ctx)?, &self.row))
    }

    /// What it has accepted, in CURRENT blueprints that are or were published, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "With one of these roles.")] roles: Option<Vec<Role>>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<Responsibility>> {
        let caller = caller(ctx)?;
        let of = self.reach(ctx, include_descendants).await?;
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::DepartmentId.is_in(of))
            .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
            .filter(responsibility::Column::BlueprintId.in_subquery(scope::counted_blueprint_ids()))
            .filter(
                Condition::all()
                    .add_option(roles.map(|roles| responsibility::Column::Role.is_in(roles))),
            );
        page::by_creation(ctx, select, Page { first, after }, Responsibility::from).await
    }

    /// Open proposals that address it, drafts included, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<Responsibility>> {
        let caller = caller(ctx)?;
        let of = self.reach(ctx, include_descendants).await?;
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::DepartmentId.is_in(of))
            .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed));
        page::by_creation(ctx, select, Page { first, after }, Responsibility::from).await
    }

    /// The KPIs that judge what it delivers: linked on the day to touchpoints where it is ACCOUNTABLE or RESPONSIBLE, in
    /// CURRENT blueprints that are or were published; whoever owns them. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "In one of these states at any of the touchpoints.")] states: Option<
            Vec<KpiState>,
        >,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
        #[graphql(desc = "On this day; today where it is absent.")] as_of: Option<Date>,
    ) -> Result<Pages<Kpi>> {
        let caller = caller(ctx)?;
        let of = self.reach(ctx, include_descendants).await?;
        let day = as_of.map_or(caller.today, |day| day.0);
        caller.budget.spend(SEARCH)?;
        let select = of_departments(caller, &of, states.as_deref(), day).await?;
        page::by_creation(ctx, select, Page { first, after }, Kpi::from).await
    }

    /// What the KPIs that judge what it delivers come to on a day, today unless said.
    #[graphql(complexity = "200 + child_complexity")]
    async fn scorecard(
        &self,
        ctx: &Context<'_>,
        as_of: Option<Date>,
        #[graphql(desc = "With all departments below it.")] include_descendants: Option<bool>,
    ) -> Option<Result<DepartmentScorecard>> {
        found(async {
            let caller = caller(ctx)?;
            let of = self.reach(ctx, include_descendants).await?;
            let day = as_of.map_or(caller.today, |day| day.0);
            caller.budget.spend(SEARCH)?;
            let card = scorecard(caller, &of, day).await?;
            Ok(Some(DepartmentScorecard::of(&card, Date(day))))
        })
        .await
    }

    /// Open proposals that wait for an answer of its leads: those whose `awaits` names it. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn awaiting_answer(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<Responsibility>> {
        let of = self.reach(ctx, include_descendants).await?;
        let which = handshake::picked(ctx, move |open| open.of_departments(&of)).await?;
        handshake::waiting(ctx, which, Page { first, after }).await
    }

    /// What an import gave it without asking, and its leads have neither confirmed nor ended. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn given_unasked(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<Responsibility>> {
        let of = self.reach(ctx, include_descendants).await?;
        handshake::unasked(ctx, of, Page { first, after }).await
    }

    /// The improvements that it takes care of, in the blueprints that you may read, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn improvements(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "In one of these states.")] states: Option<Vec<ImprovementState>>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<Improvement>> {
        let of = self.reach(ctx, include_descendants).await?;
        let its = improvement::Column::OwnerDepartmentId.is_in(of);
        improvements(ctx, its, states, Page { first, after }).await
    }

    /// What it has still to do about answers of customers, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn open_cases(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Of all departments below it too.")] include_descendants: Option<bool>,
    ) -> Result<Pages<FollowUp>> {
        let caller = caller(ctx)?;
        let of = self.reach(ctx, include_descendants).await?;
        let select = caller.select::<follow_up::Entity>().filter(still_open(&of));
        page::by_creation(ctx, select, Page { first, after }, FollowUp::from).await
    }

    /// The department that it is part of; null at the top.
    async fn parent(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        found(load(ctx, self.row.parent_id?)).await
    }

    /// The department that took over what it held, once it is archived.
    async fn successor(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        found(load(ctx, self.row.successor_id?)).await
    }

    /// The departments that are part of it at once, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(default)] include_archived: bool,
    ) -> Result<Pages<Department>> {
        let living = department::Column::ArchivedAt.is_null();
        let below = Condition::all()
            .add(department::Column::ParentId.eq(self.row.id))
            .add_option((!include_archived).then_some(living));
        departments(ctx, below, Page { first, after }).await
    }

    /// Who belongs to it, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Membership>> {
        let here = Condition::all().add(membership::Column::DepartmentId.eq(self.row.id));
        memberships(ctx, here, Page { first, after }).await
    }
}

#[ComplexObject]
impl Persona {
    /// What the persona needs, in order.
    async fn needs(&self, ctx: &Context<'_>) -> Result<Listed<PersonaNeed>> {
        let rows = match &self.known_needs {
            Some(needs) => needs.clone(),
            None => Vec::clone(&load(ctx, NeedsOf(self.row.id)).await?.unwrap_or_default()),
        };
        Ok(meter::listed(rows))
    }

    /// The segments that the persona stands for, in order.
    async fn segments(&self, ctx: &Context<'_>) -> Result<Listed<Segment>> {
        let rows = load(ctx, SegmentsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// How often a month it is contacted in all journeys that you may read and that are CURRENT and are or were
    /// published, as their main persona or another. Contacts that the customer begins are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn contact_pressure(&self, ctx: &Context<'_>) -> Result<ContactPressure> {
        shown::contact_pressure(ctx, &self.row).await
    }

    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_catalogue(caller(ctx)?))
    }
}

#[ComplexObject]
impl Template {
    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_catalogue(caller(ctx)?))
    }
}

#[ComplexObject]
impl AuditEvent {
    /// The account that acted; null for the command line, for nobody known, and where you may not see it.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.actor_id?)).await
    }

    /// The service token with which the account acted; null where it was another way in, and where you may read neither
    /// service tokens nor the whole audit log.
    async fn actor_token(&self, ctx: &Context<'_>) -> Option<Result<ServiceToken>> {
        found(load(ctx, self.actor_token_id?)).await
    }
}

#[ComplexObject]
impl Blueprint {
    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_blueprint(caller(ctx)?, &self.row))
    }

    /// The persona whose journey it is.
    async fn persona(&self, ctx: &Context<'_>) -> Option<Result<Persona>> {
        match self.canvas.get() {
            Some(canvas) => Some(Ok(Persona::with_needs(&canvas.persona, &canvas.needs))),
            None => found(load(ctx, self.row.persona_id)).await,
        }
    }

    /// Further personas, in order.
    #[graphql(complexity = "5 + 5 * child_complexity")]
    async fn secondary_personas(&self, ctx: &Context<'_>) -> Result<Listed<Persona>> {
        let rows = load(ctx, SecondaryOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// The department that owns it.
    async fn owner_department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        let id = self.row.owner_department_id;
        match self.canvas.get().and_then(|canvas| canvas.department(id)) {
            Some(owner) => Some(Ok(owner.clone().into())),
            None => found(load(ctx, id)).await,
        }
    }

    /// The KPIs that judge the blueprint as a whole, as of today, in the order of creation.
    #[graphql(complexity = "canvas::COST + 10 * child_complexity")]
    async fn kpis(&self, ctx: &Context<'_>) -> Result<Listed<KpiLink>> {
        let canvas = self.whole(ctx).await?;
        Ok(judged(canvas, canvas.links_above(None)))
    }

    /// Its phases, in order of display.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn phases(&self, ctx: &Context<'_>) -> Result<Drawn<Phase>> {
        let canvas = self.whole(ctx).await?;
        Ok(Drawn::of(canvas, |canvas| &canvas.phases))
    }

    /// Its transitions, in the order of creation; those from or to archived touchpoints are left out.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn transitions(&self, ctx: &Context<'_>) -> Result<Drawn<Transition>> {
        let canvas = self.whole(ctx).await?;
        Ok(Drawn::of(canvas, |canvas| &canvas.transitions))
    }

    /// What is known of it as a whole, of its phases and at its touchpoints, in the order of creation; of archived
    /// ones nothing.
    #[graphql(complexity = "20 * child_complexity")]
    async fn insights(&self, ctx: &Context<'_>) -> Result<Listed<Insight>> {
        listed(ctx, KnownIn(self.row.id)).await
    }

    /// Where that is known from, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn sources(&self, ctx: &Context<'_>) -> Result<Listed<Source>> {
        listed(ctx, SourcesIn(self.row.id)).await
    }

    /// What is promised at its touchpoints, in the order of creation; at archived ones nothing.
    #[graphql(complexity = "10 * child_complexity")]
    async fn promises(&self, ctx: &Context<'_>) -> Result<Listed<Promise>> {
        listed(ctx, PromisesIn(self.row.id)).await
    }

    /// How people found its touchpoints when they tried them, in the order of creation; of archived ones nothing.
    #[graphql(complexity = "20 * child_complexity")]
    async fn evaluations(&self, ctx: &Context<'_>) -> Result<Listed<Evaluation>> {
        listed(ctx, TriedIn(self.row.id)).await
    }

    /// What is to become better in it, or has, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn improvements(&self, ctx: &Context<'_>) -> Result<Listed<Improvement>> {
        listed(ctx, ImprovementsIn(self.row.id)).await
    }

    /// What is known, as a grid: by phase (the whole blueprint first), kind and persona; only cells that hold
    /// anything. What is known at a touchpoint stands in its phase.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn lens(&self, ctx: &Context<'_>) -> Result<Listed<LensCell>> {
        let canvas = self.whole(ctx).await?;
        let rows = load(ctx, KnownIn(self.row.id)).await?.unwrap_or_default();
        Ok(meter::listed(lens::cells(canvas, &rows)))
    }

    /// Its scenarios: named ways through it, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn scenarios(&self, ctx: &Context<'_>) -> Result<Listed<Scenario>> {
        listed(ctx, ScenariosOf(self.row.id)).await
    }

    /// A smaller picture: only essential touchpoints, or the so many that matter most (essential ones first, then
    /// by the sum of both importances, then by key), or both. Steps left out are bridged.
    #[graphql(complexity = "canvas::COST + 5 * child_complexity")]
    async fn view(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] essential_only: bool,
        #[graphql(desc = "How many touchpoints at most.")] simplified_to: Option<i32>,
    ) -> Result<BlueprintView> {
        let canvas = self.whole(ctx).await?;
        let most = simplified_to.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(0));
        let choose = move |canvas: &Canvas| {
            let kept = view::simplified(canvas, most);
            match essential_only {
                true => &kept & &view::essential(canvas),
                false => kept,
            }
        };
        shown::view(ctx, canvas, choose).await
    }

    /// The journey as its customers may see it: nothing of who delivers it or how.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn customer_view(&self, ctx: &Context<'_>) -> Result<CustomerView> {
        shown::customer_view(ctx, self.whole(ctx).await?).await
    }

    /// How many touchpoints lie before, at and after what the customer came for.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn attention(&self, ctx: &Context<'_>) -> Result<Listed<StageAttention>> {
        Ok(meter::listed(shown::attention(self.whole(ctx).await?)))
    }

    /// How much of it is somebody's guess.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn assumptions(&self, ctx: &Context<'_>) -> Result<Assumptions> {
        Ok(shown::assumptions(self.whole(ctx).await?))
    }

    /// The template that it began with, or that what it was copied from did: it names the lenses to draw. Null where
    /// there is none.
    async fn template(&self, ctx: &Context<'_>) -> Option<Result<Template>> {
        found(load(ctx, self.row.template_id?)).await
    }

    /// What it was copied from; null where that is gone, or you may not see it.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.copied_from_id?)).await
    }

    /// All of it by keys, as one document that `blueprintImport` takes.
    #[graphql(complexity = "whole::COST")]
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<Document>> {
        let make = |document: Document| {
            let text = serde_json::to_vec(&document).map_err(Error::internal)?;
            Ok((Json(document), text.len()))
        };
        publication::written(ctx, self.row.id, make).await
    }

    /// Its touchpoints as a sheet for spreadsheets (CSV), which `blueprintSheetImport` takes: a row a touchpoint, with
    /// its phase before it and the departments of each role behind it. Lists are written `WEB | APP`, evidence with a
    /// link `Leaflet <https://…>`, a department that is only asked `sales?`; a text that would become a formula has an
    /// apostrophe before it.
    #[graphql(complexity = "whole::COST")]
    async fn sheet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is written; COMMA where none is given.")] dialect: Option<Dialect>,
    ) -> Result<String> {
        let make = move |document: Document| {
            let sheet = table::write(&document, dialect.unwrap_or_default())?;
            let bytes = sheet.len();
            Ok((sheet, bytes))
        };
        publication::written(ctx, self.row.id, make).await
    }

    /// What it gets wrong as of a day, today unless said. A confidential KPI whose values you may not see acts as if it
    /// were not linked.
    #[graphql(complexity = "FINDINGS + 20 * child_complexity")]
    async fn findings(
        &self,
        ctx: &Context<'_>,
        filter: Option<FindingFilter>,
        as_of: Option<Date>,
    ) -> Result<Findings> {
        finding::of_blueprint(ctx, &self.row, filter, as_of).await
    }

    /// How people move through it.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn flow(&self, ctx: &Context<'_>) -> Result<Flow> {
        Ok(Flow(Arc::clone(self.whole(ctx).await?)))
    }

    /// A link to its picture (`GET /blueprints/{key}.svg`) that needs no access token, for an `<img>`. With a token in
    /// the `Authorization` header, the address is asked with `asOf` and `theme` instead.
    async fn picture_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day as of which KPIs are shown; today where none is given.")]
        as_of: Option<Date>,
        #[graphql(desc = "Its colours; AUTO where none is given.")] theme: Option<Theme>,
    ) -> Result<PictureLink> {
        picture::link(ctx, &self.row, as_of, theme)
    }
}

#[ComplexObject]
impl Phase {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// What it was copied from.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        found(load(ctx, self.row.copied_from_id?)).await
    }

    /// The KPIs that judge the phase as a whole, as of today, in the order of creation.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<Listed<KpiLink>> {
        match &self.canvas {
            Some(canvas) => Ok(judged(canvas, canvas.links_above(Some(self.row.id)))),
            None => links(ctx, JudgingPhase(self.row.id)).await,
        }
    }

    /// What is known of the phase as a whole, in the order of creation.
    async fn insights(&self, ctx: &Context<'_>) -> Result<Listed<Insight>> {
        listed(ctx, KnownOfPhase(self.row.id)).await
    }

    /// Its touchpoints, in order of display.
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<Listed<Touchpoint>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.touchpoints_of(self.row.id);
            let rows = rows.iter().map(|row| Touchpoint::within(row, canvas));
            return Ok(meter::listed(rows));
        }
        let rows = load(ctx, InPhase(self.row.id)).await?.unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }
}

#[ComplexObject]
impl Touchpoint {
    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let caller = caller(ctx)?;
        if let Some(canvas) = &self.canvas {
            let held = canvas.responsibilities_of(self.row.id);
            return Ok(permissions::of_touchpoint(caller, &canvas.blueprint, held));
        }
        let Some(blueprint) = load(ctx, self.row.blueprint_id).await? else {
            return Ok(Vec::new());
        };
        let held = load(ctx, HeldAt(self.row.id)).await?.unwrap_or_default();
        Ok(permissions::of_touchpoint(caller, &blueprint, &held))
    }

    /// What it was copied from.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        found(load(ctx, self.row.copied_from_id?)).await
    }

    /// Its channels, in order.
    async fn channels(&self, ctx: &Context<'_>) -> Result<Listed<Channel>> {
        if let Some(canvas) = &self.canvas {
            return Ok(meter::listed(
                canvas.channels_of(self.row.id).iter().cloned(),
            ));
        }
        let rows = load(ctx, ChannelsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// The segments that it is for, in order; none means everybody.
    async fn audience(&self, ctx: &Context<'_>) -> Result<Listed<Segment>> {
        let rows = load(ctx, AudienceOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// What is known at it, in the order of creation.
    async fn insights(&self, ctx: &Context<'_>) -> Result<Listed<Insight>> {
        listed(ctx, KnownAt(self.row.id)).await
    }

    /// What is promised at it, in the order of creation.
    async fn promises(&self, ctx: &Context<'_>) -> Result<Listed<Promise>> {
        listed(ctx, PromisedAt(self.row.id)).await
    }

    /// What is promised elsewhere and delivered at it, in the order of creation.
    async fn delivers(&self, ctx: &Context<'_>) -> Result<Listed<Promise>> {
        let rows = load(ctx, DeliveredHere(self.row.id)).await?;
        let mut rows = Vec::clone(&rows.unwrap_or_default());
        rows.sort_unstable_by_key(|row| (row.created_at, row.id));
        Ok(meter::listed(rows))
    }

    /// How people found it when they tried it, in the order of creation.
    async fn evaluations(&self, ctx: &Context<'_>) -> Result<Listed<Evaluation>> {
        listed(ctx, TriedAt(self.row.id)).await
    }

    /// What the answers given at it on days from `from` on and before `to` come to; of employees, the whole blocks of
    /// months of receipt that lie between them.
    async fn feedback(
        &self,
        ctx: &Context<'_>,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<FeedbackSummary> {
        let answered = AnsweredAt {
            touchpoint: self.row.id,
            from: from.map(Into::into),
            to: to.map(Into::into),
        };
        Ok(load(ctx, answered).await?.unwrap_or_default().into())
    }

    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        match &self.canvas {
            Some(canvas) => Some(Ok(Arc::clone(canvas).into())),
            None => found(load(ctx, self.row.blueprint_id)).await,
        }
    }

    /// The phase that it is in.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        match &self.canvas {
            Some(canvas) => canvas
                .phase(self.row.phase_id)
                .map(|phase| Ok(Phase::within(phase, canvas))),
            None => found(load(ctx, self.row.phase_id)).await,
        }
    }

    /// The KPIs that judge it, as of today, in the order of creation.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<Listed<KpiLink>> {
        match &self.canvas {
            Some(canvas) => Ok(judged(canvas, canvas.links_of(self.row.id))),
            None => links(ctx, JudgingTouchpoint(self.row.id)).await,
        }
    }

    /// Who is responsible, or offered to be: PROPOSED and ACCEPTED ones, in the order of creation.
    async fn responsibilities(&self, ctx: &Context<'_>) -> Result<Listed<Responsibility>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.responsibilities_of(self.row.id);
            let rows = rows.iter().map(|row| Responsibility::within(row, canvas));
            return Ok(meter::listed(rows));
        }
        let rows = load(ctx, HeldAt(self.row.id)).await?.unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }
}

/// Links that were read with the blueprint, as far as their KPIs are there.
fn judged<'c>(
    canvas: &'c Canvas,
    links: impl IntoIterator<Item = &'c JudgedLink>,
) -> Listed<KpiLink> {
    let links = links.into_iter();
    let links =
        links.filter_map(|judged| Some(KpiLink::judged(judged, canvas.kpi(judged.link.kpi_id)?)));
    meter::listed(links)
}

async fn links<K>(ctx: &Context<'_>, place: K) -> Result<Listed<KpiLink>>
where
    K: Key<Value = Arc<Vec<(JudgedLink, entity::kpi::Model)>>>,
{
    let rows = load(ctx, place).await?.unwrap_or_default();
    let links = rows.iter();
    let links = links.map(|(judged, kpi)| KpiLink::judged(judged, kpi));
    Ok(meter::listed(links))
}

/// The rows that a place has, in their order.
async fn listed<K, R, N>(ctx: &Context<'_>, place: K) -> Result<Listed<N>>
where
    K: Key<Value = Arc<Vec<R>>>,
    R: Clone + Send + Sync,
    N: From<R>,
{
    let rows = load(ctx, place).await?.unwrap_or_default();
    // Reading them was paid for once, for however many fields; each field holds copies of its own.
    caller(ctx)?.budget.spend(LOADED * rows.len() as u64)?;
    Ok(meter::listed(rows.iter().cloned()))
}

/// A page of improvements.
async fn improvements(
    ctx: &Context<'_>,
    which: SimpleExpr,
    states: Option<Vec<ImprovementState>>,
    page: Page,
) -> Result<Pages<Improvement>> {
    let caller = caller(ctx)?;
    let in_state = states.map(|states| improvement::Column::State.is_in(states));
    let select = caller
        .select::<improvement::Entity>()
        .filter(which)
        .filter(Condition::all().add_option(in_state));
    page::by_creation(ctx, select, page, Improvement::from).await
}

impl Transition {
    async fn side(
        &self,
        ctx: &Context<'_>,
        side: Option<TouchpointId>,
    ) -> Option<Result<Touchpoint>> {
        let id = side?;
        match &self.canvas {
            Some(canvas) => canvas
                .touchpoint(id)
                .map(|row| Ok(Touchpoint::within(row, canvas))),
            None => found(load(ctx, id)).await,
        }
    }
}

#[ComplexObject]
impl Transition {
    /// The touchpoint that it leads from; null where it comes from an end.
    async fn from(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.side(ctx, self.row.from_touchpoint_id).await
    }

    /// The touchpoint that it leads to; null where it leads to an end.
    async fn to(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.side(ctx, self.row.to_touchpoint_id).await
    }
}

#[ComplexObject]
impl Scenario {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// Its touchpoints, in the order of going; archived ones are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<Listed<Touchpoint>> {
        let rows = load(ctx, StepsOf(self.row.id)).await?.unwrap_or_default();
        let living = rows.iter().filter(|row| row.archived_at.is_none());
        Ok(meter::listed(living.cloned()))
    }
}
